import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../core/errors.js';
import type { MachineArguments } from '../../machine/config.js';
import { known, onlyKeys, parseKeyValues } from '../../machine/keyval.js';
import { monitorService, type ServiceConfig } from '../debug-services.js';
import { parseListenAddress } from '../listen.js';

/** What a command line of QEMU's asks for. */
export interface QemuCommandLine {
  readonly machine: MachineArguments;
  readonly mode: 'none' | 'record' | 'replay';
  readonly log: string | null;
  readonly services: readonly ServiceConfig[];
  /** -S: nobody lets the machine run before a debugger or monitor does. */
  readonly stopped: boolean;
  /** -no-shutdown: the program stays when the machine is switched off. */
  readonly stays: boolean;
  /** -display none -vga none without -nodefaults. */
  readonly noDisplay: boolean;
}

/** Options without a value. */
const FLAGS = ['S', 's', 'nodefaults', 'no-reboot', 'no-shutdown'];
/** Options whose value goes to the machine as it is, by the name that it has there. */
const PASSED: Readonly<Record<string, keyof MachineArguments>> = {
  ...{ m: 'memory', cpu: 'cpu', M: 'machine', machine: 'machine', bios: 'bios', kernel: 'kernel', initrd: 'initrd', append: 'append' },
  ...{ L: 'firmwareFolder', rtc: 'rtc', boot: 'boot', debugcon: 'debugcon' },
};
const LISTS: Readonly<Record<string, keyof MachineArguments>> = {
  drive: 'drive',
  device: 'device',
  serial: 'serial',
  net: 'net',
  nic: 'net',
};
const OTHERS = ['icount', 'display', 'vga', 'smp', 'accel', 'gdb', 'qmp', 'monitor', 'chardev', 'mon'];
const FIRMWARE_FOLDERS = ['/usr/share/seabios', '/usr/share/qemu'];
const GDB_DEFAULT = 'tcp::1234';

type Given = readonly (readonly [option: string, value: string])[];

/** Decodes QEMU's own options in QEMU's spelling. Throws UserError naming an option that we do not have. */
export function parseQemuOptions(argv: readonly string[]): QemuCommandLine {
  const given = split(argv);
  const all = (name: string): string[] => given.filter(([option]) => option === name).map(([, value]) => value);
  const last = (name: string): string | undefined => all(name).at(-1);
  const has = (name: string): boolean => last(name) !== undefined;
  for (const value of all('display')) known('-display', value, ['none']);
  for (const value of all('vga')) known('-vga', value, ['none', 'std']);
  for (const value of all('smp')) known('-smp', value, ['1']);
  for (const value of all('accel')) known('-accel', value, ['tcg']);
  if (has('nodefaults') && last('vga') === 'std')
    throw new UserError('not-supported', '-vga std together with -nodefaults is not supported');
  const chardevs = charDevices(all('chardev'));
  const { icount, mode, log } = recordReplay(last('icount'));
  return {
    machine: machineArguments(given, { icount, nodefaults: has('nodefaults'), noReboot: has('no-reboot'), chardevs }),
    mode,
    log,
    services: services(given, chardevs),
    stopped: has('S'),
    stays: has('no-shutdown'),
    noDisplay: last('vga') === 'none',
  };
}

function split(argv: readonly string[]): Given {
  const given: [string, string][] = [];
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!;
    const name = /^--?([A-Za-z][\w-]*)$/.exec(word)?.[1];
    if (name === undefined) throw new UserError('bad-option', `${word}: expected an option; a disk is given as -drive file=${word}`);
    if (FLAGS.includes(name)) {
      given.push([name, '']);
      continue;
    }
    if (!Object.hasOwn(PASSED, name) && !Object.hasOwn(LISTS, name) && !OTHERS.includes(name))
      throw new UserError('not-supported', `-${name} is not supported`);
    const value = argv[++at];
    if (value === undefined) throw new UserError('bad-option', `-${name} needs a value`);
    given.push([name, value]);
  }
  return given;
}

function recordReplay(text: string | undefined): Pick<QemuCommandLine, 'mode' | 'log'> & { readonly icount: string | undefined } {
  if (text === undefined) return { icount: undefined, mode: 'none', log: null };
  const { rr, rrfile, rrsnapshot, ...clock } = parseKeyValues('-icount', text, 'shift');
  const icount = Object.entries(clock)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  if (rrsnapshot !== undefined)
    throw new UserError('not-supported', '-icount rrsnapshot= is not supported yet; a replay can go back without it');
  if (rr === undefined) {
    if (rrfile !== undefined) throw new UserError('bad-option', '-icount rrfile= needs rr=record or rr=replay');
    return { icount, mode: 'none', log: null };
  }
  if (rrfile === undefined || rrfile === '') throw new UserError('bad-option', '-icount rr= needs rrfile=FILE');
  return { icount, mode: known('-icount rr', rr, ['record', 'replay']), log: rrfile };
}

interface Decided {
  readonly icount: string | undefined;
  readonly nodefaults: boolean;
  readonly noReboot: boolean;
  readonly chardevs: ReadonlyMap<string, Record<string, string>>;
}

function machineArguments(given: Given, { icount, nodefaults, noReboot, chardevs }: Decided): MachineArguments {
  const args: Record<string, string | string[] | boolean> = {};
  for (const [option, value] of given) {
    if (Object.hasOwn(PASSED, option)) args[PASSED[option]!] = value;
    else if (Object.hasOwn(LISTS, option)) {
      const name = LISTS[option]!;
      args[name] = [...((args[name] as string[] | undefined) ?? []), option === 'serial' ? serial(value, chardevs) : value];
    }
  }
  if (icount !== undefined && icount !== '') args.icount = icount;
  if (nodefaults) args.nodefaults = true;
  if (noReboot) args.noReboot = true;
  args.bios ??= firmware(args.firmwareFolder as string | undefined);
  return args;
}

/** QEMU comes with its firmware; here it is what Debian's packages install. */
function firmware(folder: string | undefined): string {
  const folders = folder === undefined ? FIRMWARE_FOLDERS : [folder];
  const found = folders.map((f) => join(f, 'bios-256k.bin')).find((path) => existsSync(path));
  if (found === undefined) throw new UserError('file-not-found', `bios-256k.bin is not in ${folders.join(' or ')}; give -bios FILE`);
  return found;
}

function charDevices(texts: readonly string[]): Map<string, Record<string, string>> {
  const found = new Map<string, Record<string, string>>();
  for (const text of texts) {
    const values = parseKeyValues('-chardev', text, 'backend');
    known('-chardev', values.backend ?? '', ['socket', 'null', 'stdio', 'file']);
    onlyKeys('-chardev', values, ['backend', 'id', 'path', 'host', 'port', 'server', 'wait', 'nowait']);
    if (values.id === undefined) throw new UserError('bad-option', `-chardev ${text}: id= is missing`);
    found.set(values.id, values);
  }
  return found;
}

function serial(value: string, chardevs: Decided['chardevs']): string {
  if (!value.startsWith('chardev:')) return value;
  const chardev = chardevs.get(value.slice(8));
  if (chardev === undefined) throw new UserError('bad-option', `-serial ${value}: there is no such -chardev`);
  if (chardev.backend === 'socket') throw new UserError('not-supported', `-serial ${value}: a serial port on a socket is not supported`);
  return chardev.backend === 'file' ? `file:${chardev.path ?? ''}` : chardev.backend!;
}

function services(given: Given, chardevs: Decided['chardevs']): ServiceConfig[] {
  const found: (ServiceConfig | null)[] = [];
  for (const [option, value] of given) {
    if (option === 's') found.push({ kind: 'gdb', option: '-s', address: parseListenAddress('-s', GDB_DEFAULT) });
    else if (option === 'gdb' && value !== 'none') found.push({ kind: 'gdb', option: '-gdb', address: parseListenAddress('-gdb', value) });
    else if (option === 'qmp') found.push(monitorService('-qmp', 'control', value));
    else if (option === 'monitor') found.push(monitorService('-monitor', 'readline', value));
    else if (option === 'mon') found.push(monitor(value, chardevs));
  }
  return found.filter((s) => s !== null);
}

function monitor(text: string, chardevs: Decided['chardevs']): ServiceConfig | null {
  const values = parseKeyValues('-mon', text, 'chardev');
  onlyKeys('-mon', values, ['chardev', 'mode']);
  const mode = known('-mon mode', values.mode ?? 'readline', ['readline', 'control']);
  const chardev = chardevs.get(values.chardev ?? '');
  if (chardev === undefined) throw new UserError('bad-option', `-mon ${text}: there is no such -chardev`);
  if (chardev.backend !== 'socket') return monitorService('-mon', mode, chardev.backend!);
  const address =
    chardev.path !== undefined
      ? ({ kind: 'unix', path: chardev.path } as const)
      : parseListenAddress('-chardev', `tcp:${chardev.host ?? ''}:${chardev.port ?? ''}`);
  const connect = (chardev.server ?? 'off') !== 'on';
  if (connect && mode !== 'control') throw new UserError('not-supported', `-mon ${text}: a human monitor needs server=on`);
  return { kind: 'monitor', mode, option: '-mon', address, connect };
}
