import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { MessagePort } from 'node:worker_threads';
import { UserError } from '../core/errors.js';
import { type AudioConfig, audioConfig, unusedAudiodevs } from './audio-options.js';
import { type BootConfig, bootOption } from './boot-option.js';
import { configureDrives, type DriveConfig } from './drive-options.js';
import { known, onlyKeys, parseKeyValues, parseMemory, parseNumber } from './keyval.js';
import { refuseLackingDevice } from './lacking-devices.js';
import { configureNetworks, isNic, type NetworkConfig, type NicConfig } from './network-options.js';
import { pciSlot } from './pci-slot.js';

/** Where a character device's bytes go. `append`: behind what the file has. `channel`: to another thread, see MachineConfig.channels. */
export type CharTarget =
  | { kind: 'null' }
  | { kind: 'stdio' }
  | { kind: 'stderr' }
  | { kind: 'file'; path: string; append?: boolean }
  | { kind: 'channel'; id: string };

export interface DebugconConfig {
  readonly target: CharTarget;
  /** Ports it answers at. */
  readonly ports: readonly number[];
}

export type DeviceConfig =
  | { readonly name: 'isa-debug-exit'; readonly iobase: number; readonly iosize: number }
  /** The sound card; `slot` absent: the first free one. */
  | { readonly name: 'AC97'; readonly slot?: number }
  /** Present on the PCI bus; no guest of ours drives them yet. */
  | { readonly name: 'piix3-usb-uhci' | 'usb-tablet' };

/** What a recording or replay is told of snapshots. */
export interface SnapshotConfig {
  /** The qcow2 image that keeps them; null: the one beside the log. */
  readonly file: string | null;
  /** `rrsnapshot=`: taken when a recording begins, loaded when a replay does. */
  readonly first: string | null;
}

/** Everything that makes a machine, as the command line says it; what `LOG.json` keeps. Paths are as given: guests see some of them. */
export interface MachineConfig {
  /** Where the files named by these paths are, if not there (a replay elsewhere). Never in LOG.json. */
  readonly foundAt?: ReadonlyMap<string, string>;
  /** Where the bytes of character devices go that other threads serve. Never in LOG.json. */
  readonly channels?: ReadonlyMap<string, MessagePort>;
  /** The keyboard controller is the one of QEMU before 6.0, which made the log that is replayed. Never in LOG.json. */
  readonly unlatchedI8042?: boolean;
  /** Where snapshots of the machine are. No guest sees it; LOG.json has it elsewhere. */
  readonly snapshots?: SnapshotConfig;
  readonly machine: 'pc';
  /** The board has a power management function (off with `--machine pc,acpi=off`). */
  readonly acpi: boolean;
  /** The board has an HPET (off with `--machine pc,hpet=off`). */
  readonly hpet: boolean;
  readonly cpu: 'qemu32' | 'max';
  /** The processor has a local APIC (off with `--cpu MODEL,-apic`). */
  readonly apic: boolean;
  readonly memoryBytes: number;
  readonly bios: string | null;
  readonly vgabios: string | null;
  readonly kernel: string | null;
  readonly initrd: string | null;
  readonly append: string;
  /** The option ROM that starts Linux; null: our own. */
  readonly linuxRom: string | null;
  readonly drives: readonly DriveConfig[];
  readonly serial: readonly CharTarget[];
  readonly debugcon: DebugconConfig | null;
  readonly vga: boolean;
  readonly shift: number;
  readonly rtcBase: 'utc' | string;
  readonly rtcClock: 'host' | 'vm';
  readonly devices: readonly DeviceConfig[];
  /** Absent: there is no sound card. */
  readonly audio?: AudioConfig;
  /** Network cards; absent: none. */
  readonly nics?: readonly NicConfig[];
  /** Networks that their cables lead to, in the order of their filters; absent: none. */
  readonly networks?: readonly NetworkConfig[];
  readonly noReboot: boolean;
  /** Milliseconds after which firmware that found nothing to boot starts again; null: it waits for ever. */
  readonly rebootTimeoutMs: number | null;
  /** Absent: as without `--boot`. */
  readonly boot?: BootConfig;
}

/** The machine options as they come from the command line, still text. */
export interface MachineArguments {
  readonly machine?: string | undefined;
  readonly cpu?: string | undefined;
  readonly memory?: string | undefined;
  readonly bios?: string | undefined;
  readonly vgabios?: string | undefined;
  readonly kernel?: string | undefined;
  readonly initrd?: string | undefined;
  readonly append?: string | undefined;
  readonly firmwareFolder?: string | undefined;
  readonly drive?: readonly string[] | undefined;
  readonly backingFolder?: readonly string[] | undefined;
  readonly serial?: readonly string[] | undefined;
  readonly debugcon?: string | undefined;
  readonly nodefaults?: boolean | undefined;
  /** The display, whatever `nodefaults` says. */
  readonly vga?: 'std' | 'none' | undefined;
  readonly net?: readonly string[] | undefined;
  readonly nic?: readonly string[] | undefined;
  readonly netdev?: readonly string[] | undefined;
  readonly object?: readonly string[] | undefined;
  readonly icount?: string | undefined;
  readonly rtc?: string | undefined;
  readonly device?: readonly string[] | undefined;
  readonly audiodev?: readonly string[] | undefined;
  readonly noReboot?: boolean | undefined;
  readonly boot?: string | undefined;
}

/** Slot of the display adapter. */
export const DISPLAY_SLOT = 2;

const MAX_SERIAL_PORTS = 4;

/**
 * Checks and decodes the machine options. Throws UserError 'bad-option' naming the flag.
 * @param recorded machine of the recording that is replayed, which says what its disks and ROMs are; null: nothing is replayed
 */
export function configure(args: MachineArguments, recorded: MachineConfig | null = null): MachineConfig {
  if (args.initrd !== undefined && args.kernel === undefined) throw new UserError('bad-option', '--initrd needs --kernel');
  if (args.append !== undefined && args.kernel === undefined) throw new UserError('bad-option', '--append needs --kernel');
  const serial = (args.serial ?? (args.nodefaults ? [] : ['null'])).map((s) => charTarget('--serial', s));
  if (serial.length > MAX_SERIAL_PORTS) throw new UserError('bad-option', `--serial: at most ${MAX_SERIAL_PORTS} ports`);
  const isDisk = (text: string): boolean => /^(driver=)?ide-hd(,|$)/.test(text);
  const devices = args.device ?? [];
  const context = { backingFolders: args.backingFolder ?? [], recorded: recorded?.drives ?? null };
  const { drives, snapshotFile } = configureDrives(args.drive ?? [], devices.filter(isDisk), context);
  const vga = args.vga === undefined ? !args.nodefaults : args.vga === 'std';
  // A replay need not say again what decides where cards go.
  const shown = recorded !== null && args.vga === undefined && args.nodefaults === undefined ? recorded.vga : vga;
  const net = configureNetworks(args, {
    devices,
    displaySlot: shown ? DISPLAY_SLOT : null,
    bios: args.bios,
    firmwareFolder: args.firmwareFolder,
    recorded: recorded === null ? null : (recorded.nics ?? []),
  });
  refuseEqualBootIndexes([...drives, ...(net.nics ?? [])]);
  const { shift, rrsnapshot } = icount(args.icount ?? 'shift=3');
  return {
    ...board(args.machine ?? 'pc'),
    ...cpu(args.cpu ?? 'qemu32'),
    memoryBytes: parseMemory(args.memory ?? '128M'),
    bios: args.bios ?? null,
    vgabios: args.vgabios ?? (vga ? vgabiosBeside(args.bios) : null),
    kernel: args.kernel ?? null,
    initrd: args.initrd ?? null,
    append: args.append ?? '',
    linuxRom: args.firmwareFolder === undefined ? null : linuxRomIn(args.firmwareFolder),
    drives,
    ...(snapshotFile === null && rrsnapshot === null ? {} : { snapshots: { file: snapshotFile, first: rrsnapshot } }),
    serial,
    debugcon: args.debugcon === undefined ? null : debugcon(args.debugcon),
    vga,
    shift,
    ...rtc(args.rtc ?? 'base=utc,clock=host'),
    devices: devices.filter((text) => !isDisk(text) && !isNic(text)).map(device),
    ...sound(devices, args.audiodev ?? []),
    ...net,
    noReboot: args.noReboot ?? false,
    ...(args.boot === undefined ? { rebootTimeoutMs: null } : bootOption(args.boot)),
  };
}

function refuseEqualBootIndexes(places: readonly { readonly bootIndex?: number }[]): void {
  const given = places.flatMap(({ bootIndex }) => (bootIndex === undefined ? [] : [bootIndex]));
  const twice = given.find((index, at) => given.indexOf(index) < at);
  if (twice !== undefined) throw new UserError('bad-option', `--device: The bootindex ${twice} has already been used`);
}

/** SeaBIOS is packaged with the option ROM of the display in the same folder. */
function vgabiosBeside(bios: string | undefined): string | null {
  if (bios === undefined) return null;
  const path = join(dirname(bios), 'vgabios-stdvga.bin');
  return existsSync(path) ? path : null;
}

/** QEMU's own option ROM; recordings of its Linux boots need it. */
function linuxRomIn(folder: string): string | null {
  const path = join(folder, 'linuxboot_dma.bin');
  if (!existsSync(path)) throw new UserError('file-not-found', `-L ${folder}: there is no linuxboot_dma.bin`);
  return path;
}

function board(text: string): { machine: 'pc'; acpi: boolean; hpet: boolean } {
  const found = parseKeyValues('--machine', text, 'type');
  onlyKeys('--machine', found, ['type', 'acpi', 'hpet']);
  const on = (name: 'acpi' | 'hpet'): boolean => known(`--machine ${name}`, found[name] ?? 'on', ['on', 'off']) === 'on';
  return {
    machine: known('--machine', found.type ?? 'pc', ['pc']),
    acpi: on('acpi'),
    hpet: on('hpet'),
  };
}

function cpu(text: string): { cpu: 'qemu32' | 'max'; apic: boolean } {
  const [model, ...features] = text.split(',');
  for (const f of features)
    if (f !== '-apic' && f !== '+apic') throw new UserError('not-supported', `--cpu ${text}: the only feature that can be given is apic`);
  return { cpu: known('--cpu', model!, ['qemu32', 'max']), apic: features.at(-1) !== '-apic' };
}

function charTarget(option: string, text: string): CharTarget {
  if (text === 'null' || text === 'none') return { kind: 'null' };
  if (text === 'stdio') return { kind: 'stdio' };
  if (text.startsWith('file:') && text.length > 5) return { kind: 'file', path: text.slice(5) };
  throw new UserError('bad-option', `${option} ${text}: expected stdio, null or file:PATH`);
}

/** QEMU's own -debugcon answers at 0xe9; SeaBIOS looks for its console at 0x402. Without iobase= both answer. */
function debugcon(text: string): DebugconConfig {
  const comma = text.lastIndexOf(',iobase=');
  const target = charTarget('--debugcon', comma < 0 ? text : text.slice(0, comma));
  const ports = comma < 0 ? [0xe9, 0x402] : [parseNumber('--debugcon iobase', text.slice(comma + 8), 0xffff)];
  return { target, ports };
}

function icount(text: string): { shift: number; rrsnapshot: string | null } {
  const found = parseKeyValues('--icount', text, 'shift');
  onlyKeys('--icount', found, ['shift', 'sleep', 'align', 'rrsnapshot']);
  if (found.rrsnapshot === '') throw new UserError('bad-option', `--icount ${text}: the snapshot's name is empty`);
  if ((found.sleep ?? 'on') !== 'on') throw new UserError('not-supported', '--icount sleep=off is not supported');
  if ((found.align ?? 'off') !== 'off') throw new UserError('not-supported', '--icount align=on is not supported');
  if (found.shift === 'auto') throw new UserError('not-supported', '--icount shift=auto is not supported; give shift=0 to shift=10');
  return { shift: parseNumber('--icount shift', found.shift ?? '3', 10), rrsnapshot: found.rrsnapshot ?? null };
}

function rtc(text: string): { rtcBase: string; rtcClock: 'host' | 'vm' } {
  const found = parseKeyValues('--rtc', text, 'base');
  onlyKeys('--rtc', found, ['base', 'clock', 'driftfix']);
  const base = found.base ?? 'utc';
  if (base === 'localtime') throw new UserError('not-supported', '--rtc base=localtime cannot be recorded; give base=utc or a date');
  if (base !== 'utc' && !isDate(base))
    throw new UserError('bad-option', `--rtc base=${base}: expected utc or a date such as 2026-01-31T12:00:00`);
  return { rtcBase: base, rtcClock: known('--rtc clock', found.clock ?? 'host', ['host', 'vm']) };
}

/** QEMU's two spellings: 2026-01-31 and 2026-01-31T12:00:00. */
export function isDate(text: string): boolean {
  return /^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d)?$/.test(text) && !Number.isNaN(Date.parse(`${text}Z`));
}

const DEVICES = ['isa-debug-exit', 'AC97', 'piix3-usb-uhci', 'usb-tablet'] as const;
/** QEMU has both names. */
const SOUND_CARDS = ['AC97', 'ac97'];

/** The sound card among the devices, with the back-end that it names. */
function sound(devices: readonly string[], audiodevs: readonly string[]): { audio?: AudioConfig } {
  const cards = devices
    .map((text) => parseKeyValues('--device', text, 'driver'))
    .filter(({ driver }) => SOUND_CARDS.includes(driver ?? ''));
  if (cards.length > 1) throw new UserError('not-supported', '--device AC97: this machine has room for one sound card');
  if (cards.length === 0) unusedAudiodevs(audiodevs);
  return cards.length === 0 ? {} : { audio: audioConfig(audiodevs, cards[0]!.audiodev ?? null) };
}

function device(text: string): DeviceConfig {
  const found = parseKeyValues('--device', text, 'driver');
  if (found.driver === undefined || found.driver === '')
    throw new UserError('bad-option', `--device ${text}: the name of a device is missing`);
  if (![...DEVICES, ...SOUND_CARDS].includes(found.driver)) refuseLackingDevice(`--device ${text}`, found.driver);
  if (SOUND_CARDS.includes(found.driver)) {
    onlyKeys('--device AC97', found, ['driver', 'id', 'audiodev', 'addr']);
    return { name: 'AC97', ...(found.addr === undefined ? {} : { slot: pciSlot('--device AC97', found.addr) }) };
  }
  const name = known('--device', found.driver, DEVICES);
  if (name === 'isa-debug-exit') {
    onlyKeys('--device isa-debug-exit', found, ['driver', 'iobase', 'iosize']);
    const iosize = Number(known('--device isa-debug-exit iosize', found.iosize ?? '2', ['1', '2', '4']));
    return { name, iobase: parseNumber('--device isa-debug-exit iobase', found.iobase ?? '0x501', 0x10000 - iosize), iosize };
  }
  onlyKeys(`--device ${name}`, found, ['driver', 'id']);
  return { name };
}
