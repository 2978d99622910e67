import { CODE_RANGE, ExecutedCode } from '../../jit/x86/executed-code.js';
import { watchReads } from '../../jit/x86/mmu.js';
import { type Footprint, mergeRanges, type Ranges, type Span } from '../../replay/checkpoints/footprint.js';
import { markedPages } from './capture-checkpoint.js';
import type { PcMachine } from './pc.js';

/** A footprint on its way to the thread that writes it. */
export interface CollectedFootprint extends Span {
  /** As ExecutedCode has them. */
  readonly entries: Float64Array;
  /** Linear pages, some of them twice. What was read may be among those written only. */
  readonly written: Uint32Array;
  readonly read: Uint32Array;
}

/** Entries null: there were too many. */
interface OpenFootprint extends Span {
  readonly entries: Float64Array | null;
  readonly written: Uint32Array;
  readonly read: Uint32Array;
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
  /** Up to the last checkpoint, still to be closed. */
  private open: OpenFootprint | null = null;
  /** Where the stretch under way begins; null: nothing is collected yet. */
  private from: number | null = null;

  constructor(machine: PcMachine, send: (footprint: CollectedFootprint) => void) {
    this.machine = machine;
    this.send = send;
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
    if (this.from === null) blocks.executed = this.executed;
    else this.open = { from: this.from, to: icount, entries: this.executed.all, ...this.pages };
    // The beginning of the recording belongs to what comes first.
    this.from = icount === 0 ? -1 : icount;
    this.executed.clear();
    this.machine.cpu.linearWritten.fill(0);
    watchReads(this.machine.cpu);
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
    const { written, read } = this.pages;
    const pages = { written: Uint32Array.from([...open.written, ...written]), read: Uint32Array.from([...open.read, ...read]) };
    this.send({ from: open.from, to, entries: joined(open.entries, all), ...pages });
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
    if (from !== null && to > from && entries !== null) this.send({ from, to, entries, ...this.pages });
  }

  /** Linear pages accessed since the last checkpoint. */
  private get pages(): Pick<CollectedFootprint, 'written' | 'read'> {
    const { linearWritten, linearRead } = this.machine.cpu;
    return { written: markedPages(linearWritten), read: markedPages(linearRead) };
  }
}

function joined(a: Float64Array, b: Float64Array): Float64Array {
  const both = new Float64Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/** What a store keeps of it. Sorts in place. */
export function footprintOf({ from, to, entries, written, read }: CollectedFootprint): Footprint {
  entries.sort();
  written.sort();
  const accessed = Uint32Array.from([...written, ...read]).sort();
  return { from, to, code: codeRanges(entries), written: pageRanges(written), accessed: pageRanges(accessed) };
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

function pageRanges(pages: Uint32Array): Ranges {
  return mergeRanges(0, (range) => {
    for (const page of pages) range(page, page + 1);
  });
}
