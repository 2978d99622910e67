// Longer than most: one function per operator of the language.

import { ascii, little } from '../little-endian.js';

/** Bytes of the ACPI machine language (ACPI 6.4, chapter 20 "ACPI Machine Language (AML) Specification"). */
export type Aml = readonly number[];

/** A target that nothing is stored to. */
export const NOWHERE: Aml = [0x00];
export const DEBUG: Aml = [0x5b, 0x31];
export const BREAK: Aml = [0xa5];

export const SYSTEM_MEMORY = 0;
export const SYSTEM_IO = 1;
export const PCI_CONFIG = 2;
/** Access widths, update rules and locks of fields (section 20.2.5.2). */
export const BYTE_ACCESS = 1;
export const DWORD_ACCESS = 3;
export const PRESERVE = 0;
export const WRITE_AS_ZEROS = 2;

/** A name path such as `\_SB.PCI0`; segments are filled up with underscores. */
export function name(path: string): Aml {
  const [, prefix, rest] = /^([\\^]*)(.*)$/.exec(path)!;
  const segments = rest === '' ? [] : rest!.split('.');
  const head = [[0x00], [], [0x2e]][segments.length] ?? [0x2f, segments.length];
  return [...ascii(prefix!), ...head, ...segments.flatMap((s) => ascii(s.padEnd(4, '_')))];
}

/** An integer in its shortest form. */
export function int(value: number): Aml {
  if (value === 0) return [0x00];
  if (value === 1) return [0x01];
  if (value <= 0xff) return [0x0a, value];
  if (value <= 0xffff) return [0x0b, ...little(value, 2)];
  if (value <= 0xffffffff) return [0x0c, ...little(value, 4)];
  return [0x0e, ...little(value, 8)];
}

export function string(text: string): Aml {
  return [0x0d, ...ascii(text), 0];
}

/** A compressed EISA identifier such as PNP0A03 (section 19.6.38). */
export function eisaId(text: string): Aml {
  const letters = [0, 1, 2].map((i) => text.charCodeAt(i) - 0x40);
  const high = (letters[0]! << 10) | (letters[1]! << 5) | letters[2]!;
  const low = Number.parseInt(text.slice(3), 16);
  return [0x0c, high >> 8, high & 0xff, low >> 8, low & 0xff];
}

export function buffer(bytes: readonly number[]): Aml {
  return packaged([0x11], [...int(bytes.length), ...bytes]);
}

/** A UUID as a buffer: its first three groups little-endian (section 19.6.142). */
export function uuid(text: string): Aml {
  const bytes = text
    .replaceAll('-', '')
    .match(/../g)!
    .map((hex) => Number.parseInt(hex, 16));
  return packaged([0x11], [...int(16), ...[3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15].map((i) => bytes[i]!)]);
}

/** Room for `count` elements, the first ones given. */
export function packageOf(count: number, ...elements: Aml[]): Aml {
  return packaged([0x12], [count, ...elements.flat()]);
}

// Named objects

export function scope(path: string, ...body: Aml[]): Aml {
  return packaged([0x10], [...name(path), ...body.flat()]);
}

export function device(path: string, ...body: Aml[]): Aml {
  return packaged([0x5b, 0x82], [...name(path), ...body.flat()]);
}

/** A processor without a register block. */
export function processor(path: string, id: number, ...body: Aml[]): Aml {
  return packaged([0x5b, 0x83], [...name(path), id, 0, 0, 0, 0, 0, ...body.flat()]);
}

export function named(path: string, value: Aml): Aml {
  return [0x08, ...name(path), ...value];
}

export function method(path: string, args: number, ...body: Aml[]): Aml {
  return packaged([0x14], [...name(path), args, ...body.flat()]);
}

/** A method that one thread at a time may run. */
export function serialized(path: string, args: number, ...body: Aml[]): Aml {
  return packaged([0x14], [...name(path), args | 8, ...body.flat()]);
}

export function region(path: string, space: number, offset: number, length: number): Aml {
  return [0x5b, 0x80, ...name(path), space, ...int(offset), ...int(length)];
}

/** Fields of a region: names with their widths in bits; a unit without a name is skipped. */
export function fields(region: string, access: number, update: number, units: readonly (readonly [string, number])[], locked = false): Aml {
  const list = units.flatMap(([unit, bits]) => [...(unit === '' ? [0x00] : name(unit)), ...fieldLength(bits)]);
  return packaged([0x5b, 0x81], [...name(region), access | (locked ? 0x10 : 0) | (update << 5), ...list]);
}

export function dwordField(source: Aml, index: number, path: string): Aml {
  return [0x8a, ...source, ...int(index), ...name(path)];
}

export function mutex(path: string): Aml {
  return [0x5b, 0x01, ...name(path), 0];
}

// Statements

export function store(value: Aml, target: Aml): Aml {
  return [0x70, ...value, ...target];
}

export function acquire(path: string): Aml {
  return [0x5b, 0x23, ...name(path), 0xff, 0xff];
}

export function release(path: string): Aml {
  return [0x5b, 0x27, ...name(path)];
}

export function notify(path: string, value: Aml): Aml {
  return [0x86, ...name(path), ...value];
}

export function increment(target: Aml): Aml {
  return [0x75, ...target];
}

export function when(condition: Aml, ...body: Aml[]): Aml {
  return packaged([0xa0], [...condition, ...body.flat()]);
}

export function otherwise(...body: Aml[]): Aml {
  return packaged([0xa1], body.flat());
}

export function loop(condition: Aml, ...body: Aml[]): Aml {
  return packaged([0xa2], [...condition, ...body.flat()]);
}

export function giveBack(value: Aml): Aml {
  return [0xa4, ...value];
}

// Expressions

export function local(n: number): Aml {
  return [0x60 + n];
}

export function arg(n: number): Aml {
  return [0x68 + n];
}

export function call(path: string, ...args: Aml[]): Aml {
  return [...name(path), ...args.flat()];
}

const binary =
  (opcode: number) =>
  (a: Aml, b: Aml, target: Aml = NOWHERE): Aml => [opcode, ...a, ...b, ...target];
const comparison =
  (...opcodes: number[]) =>
  (a: Aml, b: Aml): Aml => [...opcodes, ...a, ...b];
const unary =
  (...opcodes: number[]) =>
  (a: Aml): Aml => [...opcodes, ...a];

export const add = binary(0x72);
export const subtract = binary(0x74);
export const shiftLeft = binary(0x79);
export const shiftRight = binary(0x7a);
export const and = binary(0x7b);
export const or = binary(0x7d);
export const equal = comparison(0x93);
export const greater = comparison(0x94);
export const less = comparison(0x95);
export const bothTrue = comparison(0x90);
export const eitherTrue = comparison(0x91);
export const not = unary(0x92);
export const sizeOf = unary(0x87);
export const derefOf = unary(0x83);

export function index(source: Aml, at: Aml): Aml {
  return [0x88, ...source, ...at, ...NOWHERE];
}

export function toBuffer(value: Aml, target: Aml): Aml {
  return [0x96, ...value, ...target];
}

export function toHexString(value: Aml, target: Aml): Aml {
  return [0x98, ...value, ...target];
}

// Encoding

function packaged(opcode: readonly number[], body: readonly number[]): Aml {
  return [...opcode, ...packageLength(body.length), ...body];
}

/** PkgLength counts its own bytes (section 20.2.4). */
function packageLength(bodyBytes: number): number[] {
  for (let width = 1; width <= 4; width++) {
    const total = bodyBytes + width;
    if (total < lengthLimit(width)) return encodeLength(total, width);
  }
  return encodeLength(bodyBytes + 4, 4);
}

/** Widths of field units are written the same way, but count only themselves. */
function fieldLength(bits: number): number[] {
  let width = 1;
  while (bits >= lengthLimit(width)) width++;
  return encodeLength(bits, width);
}

function lengthLimit(width: number): number {
  return width === 1 ? 0x40 : 1 << (4 + 8 * (width - 1));
}

function encodeLength(value: number, width: number): number[] {
  if (width === 1) return [value];
  return [((width - 1) << 6) | (value & 0xf), ...little(value >> 4, width - 1)];
}
