import { CODE_RANGE, ExecutedCode } from '../../jit/x86/executed-code.js';
import { watchReads } from '../../jit/x86/mmu.js';
import { type Footprint, LINES_PER_PAGE, mergeRanges, type Ranges, type Span } from '../../replay/checkpoints/footprint.js';
import { RECORD_FOOTPRINT, RECORD_FOOTPRINT_LINES } from '../../replay/checkpoints/format.js';
import { markedPages } from './capture-checkpoint.js';
import type { PcMachine } from './pc.js';
import { type LineLimits, type TouchedLines, WatchedLines } from './watched-lines.js';

/** Data that was touched, some of it named twice. */
interface TouchedData {
  /** Linear pages. What was read may be among those written only. */
  readonly written: Uint32Array;
  readonly read: Uint32Array;
  /** Linear lines of pages that are not among those; accessed is all that was read or written. */
  readonly writtenLines: Uint32Array;
  readonly accessedLines: Uint32Array;
}

/** A footprint on its way to the thread that writes it. */
export interface CollectedFootprint extends Span, TouchedData {
  /** As ExecutedCode has them. */
  readonly entries: Float64Array;
  /** Some pages were looked at line by line. */
  readonly byLines: boolean;
}

/** Entries null: there were too many. */
interface OpenFootprint extends Span, TouchedData {
  readonly entries: Float64Array | null;
}

/** Code is looked for to the byte, but gaps as small as this cost more to store than they save. */
const CODE_GAP = 16;
/** Nearer than this they would cost more than they spare a search. */
const LEAST_INSTRUCTIONS = 48_000_000;
const END_OF_MEMORY = 2 ** 32;

/**
 * Collects what a machine touches from one checkpoint to the next. What happens at the very instruction count of a checkpoint, but behind it, belongs to the stretch before as well:
 * a search backwards cuts at instruction counts. So a footprint is closed when the machine has gone on.
 */
export class FootprintCollector {
  private readonly machine: PcMachine;
  private readonly send: (footprint: CollectedFootprint) => void;
  private readonly executed = new ExecutedCode();
  private readonly lines: WatchedLines | null;
  /** Up to the last checkpoint, still to be closed. */
  private open: OpenFootprint | null = null;
  /** Where the stretch under way begins; null: nothing is collected yet. */
  private from: number | null = null;

  /** @param lines not null: looks closer at pages that are accessed all the time, which takes time itself */
  constructor(machine: PcMachine, send: (footprint: CollectedFootprint) => void, lines: LineLimits | null) {
    this.machine = machine;
    this.send = send;
    this.lines = lines === null ? null : new WatchedLines(machine.cpu, lines);
  }

  get isOpen(): boolean {
    return this.open !== null;
  }

  /** A checkpoint is about to be made: a footprint may end here. It does where it is long enough: each costs a look at all that is executed. */
  progressedTo(icount: number): void {
    if (this.from === null || icount - this.from >= LEAST_INSTRUCTIONS) this.checkpoint();
  }

  /** A footprint ends at the checkpoint that is about to be made, just before `watchWrites`. */
  checkpoint(): void {
    const { icount, blocks } = this.machine.engine;
    const { data } = this;
    if (this.from === null) blocks.executed = this.executed;
    else this.open = { from: this.from, to: icount, entries: this.executed.all, ...data };
    const touched = [...data.written, ...data.read, ...Array.from(data.accessedLines, (line) => Math.floor(line / LINES_PER_PAGE))];
    // The beginning of the recording belongs to what comes first.
    this.from = icount === 0 ? -1 : icount;
    this.executed.clear();
    this.machine.cpu.linearWritten.fill(0);
    watchReads(this.machine.cpu);
    this.lines?.begin(touched);
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
    this.send({ from: open.from, to, entries: joined(open.entries, all), byLines: this.byLines, ...allData(open, this.data) });
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
    if (from !== null && to > from && entries !== null) this.send({ from, to, entries, byLines: this.byLines, ...this.data });
    this.lines?.end();
  }

  private get byLines(): boolean {
    return this.lines !== null;
  }

  /** What was accessed since the last checkpoint. */
  private get data(): TouchedData {
    const { linearWritten, linearRead } = this.machine.cpu;
    const lines = this.lines?.lines ?? new Map<number, TouchedLines>();
    const isWhole = (page: number): boolean => !lines.has(page);
    const all = [...lines.values()];
    return {
      written: markedPages(linearWritten).filter(isWhole),
      read: markedPages(linearRead).filter(isWhole),
      writtenLines: Uint32Array.from(all.flatMap(({ written }) => written)),
      accessedLines: Uint32Array.from(all.flatMap(({ accessed }) => accessed)),
    };
  }
}

function allData(a: TouchedData, b: TouchedData): TouchedData {
  const both = (x: Uint32Array, y: Uint32Array): Uint32Array => Uint32Array.from([...x, ...y]);
  return {
    written: both(a.written, b.written),
    read: both(a.read, b.read),
    writtenLines: both(a.writtenLines, b.writtenLines),
    accessedLines: both(a.accessedLines, b.accessedLines),
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
  const { from, to, entries, written, read, writtenLines, accessedLines, byLines } = collected;
  entries.sort();
  return {
    from,
    to,
    code: codeRanges(entries),
    written: lineRanges([...written], writtenLines),
    accessed: lineRanges([...written, ...read], accessedLines),
    detail: byLines ? RECORD_FOOTPRINT_LINES : RECORD_FOOTPRINT,
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

/** Of whole pages, and of lines of others. */
function lineRanges(pages: readonly number[], lines: Uint32Array): Ranges {
  const first = [
    ...pages.map((page) => [page * LINES_PER_PAGE, LINES_PER_PAGE] as const),
    ...Array.from(lines, (line) => [line, 1] as const),
  ];
  first.sort(([a], [b]) => a - b);
  return mergeRanges(0, (range) => {
    for (const [start, length] of first) range(start, start + length);
  });
}
