import { little } from '../little-endian.js';
import { type Aml, buffer } from './aml.js';

/** One resource descriptor (ACPI 6.4, section 6.4). */
type Resource = readonly number[];

const END_TAG = [0x79, 0x00];
const RANGE_BUS = 2;
const RANGE_IO = 1;
const RANGE_MEMORY = 0;
/** General flags: the limits are fixed. */
const FIXED = 0x0c;
const ENTIRE_RANGE = 0x03;
const CACHEABLE = 0x02;
const READ_WRITE = 0x01;

/** A list of resources as an object's value. */
export function resources(...list: Resource[]): Aml {
  return buffer([...list.flat(), ...END_TAG]);
}

/** Ports that decode 16 address bits. */
export function ports(base: number, alignment: number, length: number): Resource {
  return [0x47, 1, ...little(base, 2), ...little(base, 2), alignment, length];
}

export function irq(line: number): Resource {
  return [0x22, ...little(1 << line, 2)];
}

/** An 8-bit channel in compatibility mode. */
export function dma(channel: number): Resource {
  return [0x2a, 1 << channel, 0];
}

/** Level-triggered, active high, shared interrupts. */
export function interrupts(...lines: number[]): Resource {
  const list = lines.flatMap((l) => little(l, 4));
  return [0x89, ...little(2 + list.length, 2), 0x09, lines.length, ...list];
}

/** Read-only memory at a fixed place. */
export function fixedMemory(base: number, length: number): Resource {
  return [0x86, ...little(9, 2), 0, ...little(base, 4), ...little(length, 4)];
}

export function busNumbers(first: number, last: number): Resource {
  return window(0x88, 2, RANGE_BUS, 0, first, last);
}

export function portWindow(first: number, last: number): Resource {
  return window(0x88, 2, RANGE_IO, ENTIRE_RANGE, first, last);
}

export function memoryWindow(first: number, last: number, cacheable: boolean): Resource {
  return window(0x87, 4, RANGE_MEMORY, (cacheable ? CACHEABLE : 0) | READ_WRITE, first, last);
}

/** Memory beyond 4 GiB. */
export function wideMemoryWindow(first: number, last: number): Resource {
  return window(0x8a, 8, RANGE_MEMORY, CACHEABLE | READ_WRITE, first, last);
}

/** An address space descriptor: granularity, first, last, translation, length, each `width` bytes. */
function window(tag: number, width: number, type: number, typeFlags: number, first: number, last: number): Resource {
  const numbers = [0, first, last, 0, last - first + 1].flatMap((v) => little(v, width));
  return [tag, ...little(3 + numbers.length, 2), type, FIXED, typeFlags, ...numbers];
}
