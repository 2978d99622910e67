import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../core/errors.js';
import type { MachineArguments } from '../../machine/config.js';
import { known, onlyKeys, parseKeyValues } from '../../machine/keyval.js';
import { lacking } from '../../machine/lacking-devices.js';
import type { CharDeviceInfo } from '../../monitor/char-devices.js';
import type { DriveNames } from '../../monitor/drive-text.js';
import { type GdbConfig, gdbService, type MonitorConfig, type ServiceConfig } from '../debug-services.js';
import type { SocketOption } from '../socket-option.js';
import { type CharEnd, charDevices, charEnd, namedEnd } from './char-devices.js';
import { driveNames } from './drive-names.js';
import { listCharDevices } from './list-char-devices.js';
import { recordReplay } from './record-replay.js';
import { soundCard } from './sound-card.js';

/** What a command line of QEMU's asks for. */
export interface QemuCommandLine {
  readonly machine: MachineArguments;
  readonly mode: 'none' | 'record' | 'replay';
  readonly log: string | null;
  readonly services: readonly ServiceConfig[];
  /** Serial ports on sockets, by their number. */
  readonly sockets: ReadonlyMap<number, SocketOption>;
  /** The terminal is shared by the first serial port and the monitor. */
  readonly shared: boolean;
  /** -S: nobody lets the machine run before a debugger or monitor does. */
  readonly stopped: boolean;
  /** -no-shutdown: the program stays when the machine is switched off. */
  readonly stays: boolean;
  /** -name. */
  readonly name: string | null;
  readonly pidFile: string | null;
  /** What the drives are called, by their files. */
  readonly driveNames: ReadonlyMap<string, DriveNames>;
  readonly charDevices: readonly CharDeviceInfo[];
}

/** Options without a value. */
const FLAGS = ['S', 's', 'nodefaults', 'no-user-config', 'no-reboot', 'no-shutdown', 'no-acpi', 'no-hpet', 'nographic', 'snapshot'];
/** Options whose value goes to the machine as it is, by the name that it has there. */
const PASSED: Readonly<Record<string, keyof MachineArguments>> = {
  ...{ m: 'memory', cpu: 'cpu', bios: 'bios', kernel: 'kernel', initrd: 'initrd', append: 'append' },
  ...{ L: 'firmwareFolder', rtc: 'rtc', boot: 'boot', debugcon: 'debugcon' },
};
const LISTS: Readonly<Record<string, keyof MachineArguments>> = {
  drive: 'drive',
  device: 'device',
  net: 'net',
  nic: 'nic',
  netdev: 'netdev',
  object: 'object',
  audiodev: 'audiodev',
};
const HARD_DISKS = ['hda', 'hdb', 'hdc', 'hdd'];
const OTHERS = [
  ...['M', 'machine', 'icount', 'display', 'vga', 'smp', 'accel', 'serial', 'gdb', 'qmp', 'monitor', 'chardev', 'mon'],
  ...['name', 'pidfile', 'parallel', 'global', 'soundhw', 'audio'],
];
/** Options for devices that we lack. */
const LACKING: Readonly<Record<string, string>> = {
  ...{ cdrom: 'CD-ROM drive (ATAPI)', fda: 'floppy controller', fdb: 'floppy controller', sd: 'SD card' },
  usbdevice: 'USB device of that kind',
};
/** Values that change nothing here, of options that have no others. */
const ONLY: Readonly<Record<string, readonly string[]>> = {
  display: ['none'],
  smp: ['1', 'cpus=1'],
  accel: ['tcg'],
  parallel: ['none'],
  global: ['apic.vapic=off', 'apic-common.vapic=off'],
};
const FIRMWARE_FOLDERS = ['/usr/share/seabios', '/usr/share/qemu'];
const GDB_DEFAULT = 'tcp::1234';
const SHARED = 'mon:stdio';

/** Options in their order. */
export type Given = readonly (readonly [option: string, value: string])[];

/** Decodes QEMU's own options in QEMU's spelling. Throws UserError naming an option that we do not have. */
export function parseQemuOptions(argv: readonly string[]): QemuCommandLine {
  const given = split(argv);
  const all = (name: string): string[] => given.filter(([option]) => option === name).map(([, value]) => value);
  const last = (name: string): string | undefined => all(name).at(-1);
  const has = (name: string): boolean => last(name) !== undefined;
  const { icount, mode, log } = recordReplay(last('icount'));
  if (mode !== 'none') refuseUnrecordable(has('snapshot'), last('smp'), last('rtc'));
  for (const [option, values] of Object.entries(ONLY)) for (const value of all(option)) known(`-${option}`, value, values);
  const chardevs = charDevices(all('chardev'));
  const graphic = withoutGraphics(given);
  const serial = serialPorts(graphic.serial, isaSerials(given), chardevs);
  const machine = {
    ...machineArguments(given),
    ...(serial.texts === null ? {} : { serial: serial.texts }),
    ...(icount === undefined || icount === '' ? {} : { icount }),
    ...(last('vga') === undefined ? {} : { vga: known('-vga', last('vga')!, ['none', 'std']) }),
  };
  const services = [...serviceConfigs(given, chardevs), ...graphic.monitors];
  const terminal = [...(serial.texts ?? []), last('debugcon')?.split(',')[0], ...services.map((s) => s.where)].filter((t) => t === 'stdio');
  if (terminal.length > 1) throw new UserError('bad-option', 'cannot use stdio by multiple character devices');
  return {
    ...{ machine, mode, log, services, sockets: serial.sockets, shared: serial.shared },
    ...{ stopped: has('S'), stays: has('no-shutdown'), name: last('name')?.split(',')[0] ?? null, pidFile: last('pidfile') ?? null },
    ...{
      driveNames: driveNames(all('drive')),
      charDevices: listCharDevices(given, chardevs),
    },
  };
}

function split(argv: readonly string[]): Given {
  const given: [string, string][] = [];
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!;
    const name = /^--?([A-Za-z][\w-]*)$/.exec(word)?.[1];
    if (name === undefined) {
      if (word.startsWith('-')) throw new UserError('not-supported', `${word} is not supported`);
      given.push(['hda', word]);
      continue;
    }
    if (FLAGS.includes(name)) {
      given.push([name, '']);
      continue;
    }
    if (Object.hasOwn(LACKING, name)) throw lacking([word, ...argv.slice(at + 1, at + 2)].join(' '), LACKING[name]!);
    const takesValue = Object.hasOwn(PASSED, name) || Object.hasOwn(LISTS, name) || HARD_DISKS.includes(name) || OTHERS.includes(name);
    if (!takesValue) throw new UserError('not-supported', `-${name} is not supported`);
    const value = argv[++at];
    if (value === undefined) throw new UserError('bad-option', `-${name} needs a value`);
    given.push([name, value]);
  }
  return given;
}

/** In QEMU's words. */
function refuseUnrecordable(snapshot: boolean, smp: string | undefined, rtc: string | undefined): void {
  const refuse = (what: string): never => {
    throw new UserError('not-supported', `Record/replay feature is not supported for '${what}'`);
  };
  if (smp !== undefined && !ONLY.smp!.includes(smp)) refuse('smp');
  if (snapshot) refuse('-snapshot');
  if (rtc !== undefined && parseKeyValues('-rtc', rtc, 'base').base === 'localtime') refuse('-rtc base=localtime');
}

function machineArguments(given: Given): MachineArguments {
  const args: Record<string, string | string[] | boolean> = {};
  const more = (name: keyof MachineArguments, value: string): void => {
    args[name] = [...((args[name] as string[] | undefined) ?? []), value];
  };
  let board = 'pc';
  for (const [option, value] of given) {
    if (Object.hasOwn(PASSED, option)) args[PASSED[option]!] = value;
    else if (isIsaSerial(option, value)) continue;
    else if (Object.hasOwn(LISTS, option)) more(LISTS[option]!, value);
    else if (HARD_DISKS.includes(option))
      more('drive', `file=${value.replaceAll(',', ',,')},index=${HARD_DISKS.indexOf(option)},media=disk`);
    else if (option === 'M' || option === 'machine') board = value;
    else if (option === 'nodefaults') args.nodefaults = true;
    else if (option === 'no-reboot') args.noReboot = true;
  }
  const card = soundCard(given);
  if (card.audiodev !== null) more('audiodev', card.audiodev);
  // Before other devices, as in QEMU: it gets the first free slot.
  if (card.device !== null) args.device = [card.device, ...((args.device as string[] | undefined) ?? [])];
  const without = given.flatMap(([option]) => (option === 'no-acpi' ? [',acpi=off'] : option === 'no-hpet' ? [',hpet=off'] : []));
  if (board !== 'pc' || without.length > 0) args.machine = `${board}${without.join('')}`;
  args.bios ??= firmware(args.firmwareFolder as string | undefined);
  return args;
}

/** QEMU comes with its firmware; here it is what Debian's packages install. */
function firmware(folder: string | undefined): string {
  const folders = folder === undefined ? FIRMWARE_FOLDERS : [folder, ...FIRMWARE_FOLDERS];
  const found = folders.map((f) => join(f, 'bios-256k.bin')).find((path) => existsSync(path));
  if (found === undefined) throw new UserError('file-not-found', `bios-256k.bin is not in ${folders.join(' or ')}; give -bios FILE`);
  return found;
}

/** What -nographic adds: serial port and monitor, as far as there are no others, have the terminal. */
function withoutGraphics(given: Given): { readonly serial: readonly string[] | null; readonly monitors: readonly MonitorConfig[] } {
  const serial = given.flatMap(([option, value]) => (option === 'serial' ? [value] : []));
  const has = (...names: string[]): boolean => given.some(([option]) => names.includes(option));
  const explicit = serial.length > 0 || given.some(([option, value]) => isIsaSerial(option, value)) ? serial : null;
  if (!has('nographic')) return { serial: explicit, monitors: [] };
  const ownSerial = explicit !== null || has('nodefaults');
  const ownMonitor = has('nodefaults', 'monitor', 'mon', 'qmp') || serial.some((text) => text.startsWith('mon:'));
  const monitor = { kind: 'monitor', mode: 'readline', option: '-nographic', where: 'stdio' } as const;
  if (ownSerial) return { serial: explicit, monitors: ownMonitor ? [] : [monitor] };
  return { serial: [ownMonitor ? 'stdio' : SHARED], monitors: [] };
}

function isIsaSerial(option: string, value: string): boolean {
  return option === 'device' && /^(driver=)?isa-serial(,|$)/.test(value);
}

/** `-device isa-serial,chardev=ID`: the next serial port behind those of -serial, in the form that -serial has. */
function isaSerials(given: Given): string[] {
  return given
    .filter(([option, value]) => isIsaSerial(option, value))
    .map(([, value]) => {
      const values = parseKeyValues('-device', value, 'driver');
      onlyKeys('-device isa-serial', values, ['driver', 'chardev', 'id']);
      if (values.chardev === undefined)
        throw new UserError('bad-option', `-device ${value}: Can't create serial device, empty char device`);
      return `chardev:${values.chardev}`;
    });
}

/** `texts` null: as the machine has them without options. A port on a socket is `null` to the machine's options. */
function serialPorts(
  texts: readonly string[] | null,
  more: readonly string[],
  chardevs: ReadonlyMap<string, CharEnd>,
): { readonly texts: string[] | null; readonly sockets: ReadonlyMap<number, SocketOption>; readonly shared: boolean } {
  if (texts === null && more.length === 0) return { texts: null, sockets: new Map(), shared: false };
  const wanted = [...(texts ?? [])];
  while (wanted.at(-1) === 'none') wanted.pop();
  wanted.push(...more);
  if (wanted.includes('none')) throw new UserError('not-supported', '-serial none is not supported before a serial port that is there');
  const sockets = new Map<number, SocketOption>();
  const ports = wanted.map((text, port) => {
    if (text === SHARED && port === 0) return 'stdio';
    const end = charEnd('-serial', text, chardevs);
    if (end.kind === 'text') return end.text;
    sockets.set(port, end.socket);
    return 'null';
  });
  return { texts: ports, sockets, shared: wanted[0] === SHARED };
}

function serviceConfigs(given: Given, chardevs: ReadonlyMap<string, CharEnd>): ServiceConfig[] {
  const found: (ServiceConfig | null)[] = [];
  for (const [option, value] of given) {
    if (option === 's') found.push(gdbService('-s', GDB_DEFAULT));
    else if (option === 'gdb') found.push(debuggerAt(value, chardevs));
    else if (option === 'qmp') found.push(monitor('-qmp', value, 'control', charEnd('-qmp', value, chardevs)));
    else if (option === 'monitor') found.push(monitor('-monitor', value, 'readline', charEnd('-monitor', value, chardevs)));
    else if (option === 'mon') found.push(explicitMonitor(value, chardevs));
  }
  return found.filter((s) => s !== null);
}

/** A `-chardev` has to be there for a debugger to come to, or stdio. */
function debuggerAt(text: string, chardevs: ReadonlyMap<string, CharEnd>): GdbConfig | null {
  if (!text.startsWith('chardev:')) return gdbService('-gdb', text);
  const end = charEnd('-gdb', text, chardevs);
  if (end.kind === 'socket') return { kind: 'gdb', option: '-gdb', where: end.socket };
  if (end.text !== 'stdio') throw new UserError('not-supported', `-gdb ${text}: expected a -chardev on stdio or a socket`);
  return { kind: 'gdb', option: '-gdb', where: 'stdio' };
}

function explicitMonitor(text: string, chardevs: ReadonlyMap<string, CharEnd>): MonitorConfig | null {
  const values = parseKeyValues('-mon', text, 'chardev');
  onlyKeys('-mon', values, ['chardev', 'mode', 'pretty']);
  known('-mon pretty', values.pretty ?? 'off', ['off']);
  const mode = known('-mon mode', values.mode ?? 'readline', ['readline', 'control']);
  return monitor('-mon', text, mode, namedEnd('-mon', text, values.chardev ?? '', chardevs));
}

/** Null: nobody is at the other end. */
function monitor(option: string, text: string, mode: 'readline' | 'control', end: CharEnd): MonitorConfig | null {
  if (end.kind === 'socket') return { kind: 'monitor', mode, option, where: end.socket };
  if (end.text === 'none' || end.text === 'null') return null;
  if (end.text !== 'stdio')
    throw new UserError('not-supported', `${option} ${text}: expected stdio, none, tcp:HOST:PORT, telnet:HOST:PORT or unix:PATH`);
  return { kind: 'monitor', mode, option, where: 'stdio' };
}
