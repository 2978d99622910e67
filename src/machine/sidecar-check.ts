import { parseMac } from '../../devices/net/mac-address.js';
import { IMAGE_FORMATS } from '../block/image-format.js';
import { parseIpv4 } from '../net/ipv4-address.js';
import { isBootOrder } from './boot-option.js';
import { isDate, type MachineConfig } from './config.js';
import type { Sidecar } from './sidecar.js';

type Check = (value: unknown) => boolean;

const text: Check = (v) => typeof v === 'string';
const flag: Check = (v) => typeof v === 'boolean';
const nullOr =
  (check: Check): Check =>
  (v) =>
    v === null || check(v);
const optional =
  (check: Check): Check =>
  (v) =>
    v === undefined || check(v);
const listOf =
  (check: Check, most: number): Check =>
  (v) =>
    Array.isArray(v) && v.length <= most && v.every(check);
const oneOf =
  (...known: readonly string[]): Check =>
  (v) =>
    known.includes(v as string);
const integer =
  (from: number, to: number): Check =>
  (v) =>
    Number.isInteger(v) && (v as number) >= from && (v as number) <= to;

/** An object whose named properties pass their checks. */
function shape(checks: Readonly<Record<string, Check>>): Check {
  return (v) => wrongField(v, checks) === null;
}

/** Name of the first property that is not what it must be; '' when `value` is no object; null: all are right. */
function wrongField(value: unknown, checks: Readonly<Record<string, Check>>): string | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return '';
  const found = Object.entries(checks).find(([name, check]) => !check((value as Record<string, unknown>)[name]));
  return found === undefined ? null : found[0];
}

const charTarget: Check = (v) => shape({ kind: oneOf('null', 'stdio') })(v) || shape({ kind: oneOf('file'), path: text })(v);

const imageFormat = oneOf(...IMAGE_FORMATS);
const imageFile = shape({ file: text, format: imageFormat });

const ipv4: Check = (v) => typeof v === 'string' && parseIpv4(v) !== null;
const userNetwork = shape({
  network: ipv4,
  prefix: integer(4, 32),
  host: ipv4,
  dns: ipv4,
  dhcpStart: ipv4,
  restrict: flag,
  hostname: nullOr(text),
  domain: nullOr(text),
  forwards: listOf(
    shape({
      protocol: oneOf('tcp', 'udp'),
      hostAddress: ipv4,
      hostPort: integer(0, 0xffff),
      guestAddress: ipv4,
      guestPort: integer(1, 0xffff),
    }),
    256,
  ),
});

const MACHINE: Readonly<Record<keyof MachineConfig, Check>> = {
  machine: oneOf('pc'),
  foundAt: (v) => v === undefined,
  unlatchedI8042: (v) => v === undefined,
  channels: (v) => v === undefined,
  snapshots: (v) => v === undefined,
  acpi: flag,
  hpet: flag,
  cpu: oneOf('qemu32', 'max'),
  apic: flag,
  memoryBytes: (v) => integer(2 ** 20, 3 * 2 ** 30)(v) && (v as number) % 4096 === 0,
  bios: nullOr(text),
  vgabios: nullOr(text),
  kernel: nullOr(text),
  initrd: nullOr(text),
  append: text,
  linuxRom: nullOr(text),
  drives: listOf(
    shape({
      file: text,
      format: imageFormat,
      interface: oneOf('ide'),
      index: integer(0, 3),
      bootIndex: optional(integer(0, 2 ** 31 - 1)),
      backing: optional(listOf(imageFile, 200)),
    }),
    4,
  ),
  serial: listOf(charTarget, 4),
  debugcon: nullOr(shape({ target: charTarget, ports: listOf(integer(0, 0xffff), 2) })),
  vga: flag,
  shift: integer(0, 10),
  rtcBase: (v) => v === 'utc' || (typeof v === 'string' && isDate(v)),
  rtcClock: oneOf('host', 'vm'),
  devices: listOf(
    (v) =>
      shape({ name: oneOf('piix3-usb-uhci', 'usb-tablet') })(v) ||
      shape({ name: oneOf('AC97'), slot: optional(integer(0, 31)) })(v) ||
      shape({ name: oneOf('isa-debug-exit'), iobase: integer(0, 0xffff), iosize: integer(1, 4) })(v),
    64,
  ),
  audio: optional(
    shape({
      periodUs: integer(100, 10_000_000),
      outHz: integer(8_000, 192_000),
      inHz: nullOr(integer(8_000, 192_000)),
      target: (v) => shape({ kind: oneOf('none') })(v) || shape({ kind: oneOf('wav'), path: text })(v),
      source: optional(text),
    }),
  ),
  nics: optional(
    listOf(
      shape({
        model: oneOf('rtl8139'),
        id: text,
        network: nullOr(text),
        mac: (v) => typeof v === 'string' && parseMac(v) !== null,
        slot: integer(2, 31),
        rom: nullOr(text),
        bootIndex: optional(integer(0, 2 ** 31 - 1)),
      }),
      30,
    ),
  ),
  networks: optional(listOf(shape({ id: text, filter: nullOr(text), user: userNetwork }), 255)),
  noReboot: flag,
  rebootTimeoutMs: nullOr(integer(0, 0xffff)),
  boot: optional(
    shape({ order: isBootOrder, once: nullOr(isBootOrder), menu: flag, menuWaitMs: nullOr(integer(0, 0xffff)), strict: flag }),
  ),
};

const SIDECAR: Readonly<Record<Exclude<keyof Sidecar, 'palindrome' | 'machine'>, Check>> = {
  inputs: listOf(shape({ option: text, path: text, sha256: text, fromLog: optional(text), absolute: optional(text) }), 64),
  logFormat: oneOf('5.2', '7.2'),
  snapshots: optional(text),
  final: (v) =>
    v === undefined ||
    shape({ icount: integer(0, Number.MAX_SAFE_INTEGER), events: integer(0, Number.MAX_SAFE_INTEGER), digest: text, log: text })(v),
};

/** Checks every property of a LOG.json that a stranger may have written. Returns the name of the first wrong one, or null. */
export function wrongSidecarField(value: unknown): string | null {
  const outer = wrongField(value, SIDECAR);
  if (outer !== null) return outer;
  const inner = wrongField((value as { machine?: unknown }).machine, MACHINE);
  return inner === null ? null : ['machine', inner].filter((name) => name !== '').join('.');
}
