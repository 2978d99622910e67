import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Watchpoint } from '../../src/core/debug-target.js';
import { RECORD_FOOTPRINT, RECORD_FOOTPRINT_BYTES, RECORD_FOOTPRINT_LINES, RECORD_FOOTPRINT_WITHOUT_READS } from './format.js';

/** What a stretch of a recording touched, and perhaps more: what is not in it was not touched. */
export interface Footprint {
  /** Instruction counts: it is about the places with more instructions than `from` (-1: from the beginning on) and at most `to`. */
  readonly from: number;
  readonly to: number;
  /** Executed code, as ranges of linear addresses; see mergeRanges. */
  readonly code: Ranges;
  /** What was written by the processor, as ranges of linear addresses. */
  readonly written: Ranges;
  /** Those read or written by it; null: it is not known which were read. */
  readonly accessed: Ranges | null;
  /** How much is known: whether anything was looked at closer than by whole pages. */
  readonly detail: FootprintDetail;
}

/** By how much is known, ascending: pages that were written, pages, lines, bytes. Values: types of the records, see FORMAT.md. */
export type FootprintDetail =
  | typeof RECORD_FOOTPRINT_WITHOUT_READS
  | typeof RECORD_FOOTPRINT
  | typeof RECORD_FOOTPRINT_LINES
  | typeof RECORD_FOOTPRINT_BYTES;

/** In what the lists of a record are about. */
const UNIT_BYTES: ReadonlyMap<number, number> = new Map([
  [RECORD_FOOTPRINT_WITHOUT_READS, 4096],
  [RECORD_FOOTPRINT, 4096],
  [RECORD_FOOTPRINT_LINES, 64],
  [RECORD_FOOTPRINT_BYTES, 1],
]);

/** Starts and ends (exclusive) in turn, ascending, none touching the next. */
export type Ranges = readonly number[];

/** Whether a record of this type is a footprint. */
export function isFootprintDetail(type: number): type is FootprintDetail {
  return UNIT_BYTES.has(type);
}

/** The places that a footprint is about. */
export type Span = Pick<Footprint, 'from' | 'to'>;

/** The same, and how much is known. */
export type DetailedSpan = Pick<Footprint, 'from' | 'to' | 'detail'>;

/** What is looked for. */
export interface Targets {
  /** Linear addresses. */
  readonly breakpoints: readonly number[];
  readonly watchpoints: readonly Watchpoint[];
}

/** What a payload begins with, before what is deflated: `from`, `to`. */
export const SPAN_BYTES = 16;
const MAX_INFLATED_BYTES = 16 << 20;
const END_OF_MEMORY = 2 ** 32;
/** Bits of a number in one byte; the byte's highest bit says that more follow. */
const VARINT_BITS = 7;

/** Joins ranges that overlap, touch, or lie less than `gap` apart. `each` calls back with start and end of one after the other, by ascending start. */
export function mergeRanges(gap: number, each: (range: (start: number, end: number) => void) => void): Ranges {
  const merged: number[] = [];
  each((start, end) => {
    const last = merged.length - 1;
    if (last < 0 || start > merged[last]! + gap) merged.push(start, end);
    else if (end > merged[last]!) merged[last] = end;
  });
  return merged;
}

/** Payload of the record that `detail` names. */
export function encodeFootprint({ from, to, code, written, accessed, detail }: Footprint): Uint8Array {
  const span = Buffer.alloc(SPAN_BYTES);
  span.writeDoubleLE(from, 0);
  span.writeDoubleLE(to, 8);
  const unit = UNIT_BYTES.get(detail)!;
  const data = accessed === null ? [written] : [written, accessed];
  const lists = [code, ...data.map((ranges) => ranges.map((address) => address / unit))];
  return Buffer.concat([span, deflateRawSync(Uint8Array.from(lists.flatMap(encodeRanges)))]);
}

/** Number of ranges, then for each its distance from the end of the one before, and its length. */
function encodeRanges(ranges: Ranges): number[] {
  const bytes: number[] = [];
  const put = (value: number): void => {
    let rest = value;
    for (; rest >= 1 << VARINT_BITS; rest = Math.floor(rest / (1 << VARINT_BITS)))
      bytes.push((rest % (1 << VARINT_BITS)) | (1 << VARINT_BITS));
    bytes.push(rest);
  };
  put(ranges.length / 2);
  let before = 0;
  for (const place of ranges) {
    put(place - before);
    before = place;
  }
  return bytes;
}

/** What a footprint is about; null: the payload is none. */
export function footprintSpan(payload: Uint8Array): Span | null {
  if (payload.length < SPAN_BYTES) return null;
  const view = new DataView(payload.buffer, payload.byteOffset, SPAN_BYTES);
  const from = view.getFloat64(0, true);
  const to = view.getFloat64(8, true);
  return Number.isSafeInteger(from) && Number.isSafeInteger(to) && from >= -1 && to > from ? { from, to } : null;
}

/** The footprint in a payload; null: it is none. */
export function decodeFootprint(payload: Uint8Array, detail: FootprintDetail): Footprint | null {
  const span = footprintSpan(payload);
  if (span === null) return null;
  try {
    const bytes = inflateRawSync(payload.subarray(SPAN_BYTES), { maxOutputLength: MAX_INFLATED_BYTES });
    const reader = new RangeReader(bytes);
    const code = reader.ranges(END_OF_MEMORY);
    const unitBytes = UNIT_BYTES.get(detail)!;
    const data = (): Ranges | null => reader.ranges(END_OF_MEMORY / unitBytes)?.map((unit) => unit * unitBytes) ?? null;
    const hasReads = detail !== RECORD_FOOTPRINT_WITHOUT_READS;
    const written = data();
    const accessed = hasReads ? data() : null;
    const whole = code !== null && written !== null && (accessed !== null || !hasReads) && reader.atEnd;
    return whole ? { ...span, code, written, accessed, detail } : null;
  } catch {
    // Not deflated, or too much.
    return null;
  }
}

class RangeReader {
  private readonly bytes: Uint8Array;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get atEnd(): boolean {
    return this.at === this.bytes.length;
  }

  /** Null: they reach beyond `end`, or there are fewer than it says. */
  ranges(end: number): Ranges | null {
    const count = 2 * this.number();
    if (!(count <= this.bytes.length)) return null;
    const ranges: number[] = [];
    let place = 0;
    for (let k = 0; k < count; k++) {
      place += this.number();
      ranges.push(place);
    }
    return place <= end ? ranges : null;
  }

  /** NaN behind the end. */
  private number(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 1 << VARINT_BITS) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) return Number.NaN;
      value += (byte & ((1 << VARINT_BITS) - 1)) * factor;
      if (byte >>> VARINT_BITS === 0) return value;
    }
  }
}

/** Whether something that is looked for may have happened there. */
export function mayTouch({ code, written, accessed }: Footprint, { breakpoints, watchpoints }: Targets): boolean {
  if (breakpoints.some((address) => overlaps(code, address >>> 0, (address >>> 0) + 1))) return true;
  return watchpoints.some(({ kind, address, lengthBytes }) => {
    const end = address + lengthBytes;
    const ranges = kind === 'write' ? written : accessed;
    return ranges === null || end > END_OF_MEMORY || overlaps(ranges, address, end);
  });
}

/** Whether one of the ranges has something between two places. */
function overlaps(ranges: Ranges, start: number, end: number): boolean {
  let low = 0;
  let high = ranges.length / 2;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ranges[2 * middle + 1]! <= start) low = middle + 1;
    else high = middle;
  }
  return 2 * low < ranges.length && ranges[2 * low]! < end;
}

/**
 * A function that says how far back from an instruction count those spans reach without a gap that `isClear`: nothing is to be found at places with more instructions than what it returns.
 * @param isClear asked for a span, by its index, only when it would help
 */
export function reachBack(spans: readonly Span[], isClear: (index: number) => boolean): (icount: number) => number {
  const order = [...spans.keys()].sort((a, b) => spans[b]!.to - spans[a]!.to);
  return (icount) => {
    let from = icount;
    for (const k of order) {
      // Those that come now end even sooner.
      if (spans[k]!.to < from) break;
      if (spans[k]!.from < from && isClear(k)) from = spans[k]!.from;
    }
    return from;
  };
}
