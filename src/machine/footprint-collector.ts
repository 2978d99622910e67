import { CODE_RANGE, ExecutedCode } from '../../jit/x86/executed-code.js';
import { watchReads } from '../../jit/x86/mmu.js';
import { type Footprint, mergeRanges, type Ranges, type Span } from '../../replay/checkpoints/footprint.js';
import { RECORD_FOOTPRINT, RECORD_FOOTPRINT_BYTES } from '../../replay/checkpoints/format.js';
import { markedPages } from './capture-checkpoint.js';
import type { PcMachine } from './pc.js';
import { type TouchedBytes, WatchedBytes, type WatchLimits } from './watched-bytes.js';

/** Data that was touched, some of it named twice. */
interface TouchedData {
  /** Linear pages. What was read may be among those written only. */
  readonly written: Uint32Array;
  readonly read: Uint32Array;
  /** Ranges in pages that are not among those: starts and ends in turn; accessed is all that was read or written. */
  readonly writtenBytes: Float64Array;
  readonly accessedBytes: Float64Array;
}

/** A footprint on its way to the thread that writes it. */
export interface CollectedFootprint extends Span, TouchedData {
  /** As ExecutedCode has them. */
  readonly entries: Float64Array;
  /** Some pages were looked at byte by byte. */
  readonly byBytes: boolean;
}

/** Entries null: there were too many. */
interface OpenFootprint extends Span, TouchedData {
  readonly entries: Float64Array | null;
}

/** Code is looked for to the byte, but gaps as small as this cost more to store than they save. */
const CODE_GAP = 16;
/** Nearer than this they would cost more than they spare a search. */
const LEAST_INSTRUCTIONS = 48_000_000;
/** The same in a machine that is being recorded: each costs it some 20 ms. */
const LEAST_WHILE_RECORDING = 120_000_000;
const END_OF_MEMORY = 2 ** 32;
const PAGE_BYTES = 4096;

/**
 * Collects what a machine touches from one checkpoint to the next. What happens at the very instruction count of a checkpoint, but behind it, belongs to the stretch before as well:
 * a search backwards cuts at instruction counts. So a footprint is closed when the machine has gone on.
 */
export class FootprintCollector {
  private readonly machine: PcMachine;
  private readonly send: (footprint: CollectedFootprint) => void;
  private readonly executed = new ExecutedCode();
  private readonly bytes: WatchedBytes | null;
  private readonly leastInstructions: number;
  /** Up to the last checkpoint, still to be closed. */
  private open: OpenFootprint | null = null;
  /** Where the stretch under way begins; null: nothing is collected yet. */
  private from: number | null = null;

  /** @param limits not null: looks closer at pages that are accessed all the time; the machine's engine must have been made to watch bytes */
  constructor(machine: PcMachine, send: (footprint: CollectedFootprint) => void, limits: WatchLimits | null) {
    this.machine = machine;
    this.send = send;
    this.bytes = limits === null ? null : new WatchedBytes(machine.cpu, limits);
    this.leastInstructions = limits === null ? LEAST_WHILE_RECORDING : LEAST_INSTRUCTIONS;
  }

  get isOpen(): boolean {
    return this.open !== null;
  }

  /** A checkpoint is about to be made: a footprint may end here. It does where it is long enough: each costs a look at all that is executed. */
  progressedTo(icount: number): void {
    if (this.from === null || icount - this.from >= this.leastInstructions) this.checkpoint();
  }

  /** A footprint ends at the checkpoint that is about to be made, just before `watchWrites`. */
  checkpoint(): void {
    const { icount, blocks } = this.machine.engine;
    const { data } = this;
    if (this.from === null) blocks.executed = this.executed;
    else this.open = { from: this.from, to: icount, entries: this.executed.all, ...data };
    const touched = [...data.written, ...data.read, ...Array.from(data.accessedBytes, (address) => Math.floor(address / PAGE_BYTES))];
    // The beginning of the recording belongs to what comes first.
    this.from = icount === 0 ? -1 : icount;
    this.executed.clear();
    this.machine.cpu.linearWritten.fill(0);
    watchReads(this.machine.cpu);
    this.bytes?.begin(touched);
    blocks.beginEra();
  }

  /** The machine stands between two slices. */
  progressed(): void {
    const { open } = this;
    if (open !== null && this.machine.engine.icount > open.to) this.close(open, open.to);
  }

  private close(open: OpenFootprint, to: number): void {
    this.open = null;
    const { all } = this.executed;
    if (open.entries === null || all === null || to <= open.from) return;
    this.send({ from: open.from, to, entries: joined(open.entries, all), byBytes: this.byBytes, ...allData(open, this.data) });
  }

  /** The machine stops: what it touched since the last checkpoint. The recording may go on, so what is still to happen at this instruction count is not known. */
  finish(): void {
    const { from, open } = this;
    const { icount, blocks } = this.machine.engine;
    const to = icount - 1;
    if (open !== null) this.close(open, Math.min(open.to, to));
    blocks.executed = null;
    this.from = null;
    const entries = this.executed.all;
    if (from !== null && to > from && entries !== null) this.send({ from, to, entries, byBytes: this.byBytes, ...this.data });
    this.bytes?.end();
  }

  private get byBytes(): boolean {
    return this.bytes !== null;
  }

  /** What was accessed since the last checkpoint. */
  private get data(): TouchedData {
    const { linearWritten, linearRead } = this.machine.cpu;
    const touched = this.bytes?.touched ?? new Map<number, TouchedBytes>();
    const isWhole = (page: number): boolean => !touched.has(page);
    const all = [...touched.values()];
    return {
      written: markedPages(linearWritten).filter(isWhole),
      read: markedPages(linearRead).filter(isWhole),
      writtenBytes: Float64Array.from(all.flatMap(({ written }) => written)),
      accessedBytes: Float64Array.from(all.flatMap(({ accessed }) => accessed)),
    };
  }
}

function allData(a: TouchedData, b: TouchedData): TouchedData {
  return {
    written: Uint32Array.from([...a.written, ...b.written]),
    read: Uint32Array.from([...a.read, ...b.read]),
    writtenBytes: joined(a.writtenBytes, b.writtenBytes),
    accessedBytes: joined(a.accessedBytes, b.accessedBytes),
  };
}

function joined(a: Float64Array, b: Float64Array): Float64Array {
  const both = new Float64Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/** What a store keeps of it. Sorts in place. */
export function footprintOf(collected: CollectedFootprint): Footprint {
  const { from, to, entries, written, read, writtenBytes, accessedBytes, byBytes } = collected;
  entries.sort();
  return {
    from,
    to,
    code: codeRanges(entries),
    written: dataRanges([...written], writtenBytes),
    accessed: dataRanges([...written, ...read], accessedBytes),
    detail: byBytes ? RECORD_FOOTPRINT_BYTES : RECORD_FOOTPRINT,
  };
}

function codeRanges(entries: Float64Array): Ranges {
  return mergeRanges(CODE_GAP, (range) => {
    // An instruction may begin at the end of the address space, and go on at 0.
    for (const entry of entries) if (endOf(entry) > END_OF_MEMORY) range(0, endOf(entry) - END_OF_MEMORY);
    for (const entry of entries) range(Math.floor(entry / CODE_RANGE), Math.min(endOf(entry), END_OF_MEMORY));
  });
}

function endOf(entry: number): number {
  return Math.floor(entry / CODE_RANGE) + (entry % CODE_RANGE);
}

/** Of whole pages, and of bytes of others. */
function dataRanges(pages: readonly number[], bytes: Float64Array): Ranges {
  const all = pages.map((page): readonly [number, number] => [page * PAGE_BYTES, (page + 1) * PAGE_BYTES]);
  for (let k = 0; k < bytes.length; k += 2) all.push([bytes[k]!, bytes[k + 1]!]);
  all.sort(([a], [b]) => a - b);
  return mergeRanges(0, (range) => {
    for (const [start, end] of all) range(start, end);
  });
}
