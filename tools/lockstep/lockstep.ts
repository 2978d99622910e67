import { DivergenceError } from '../../src/core/errors.js';
import type { PcMachine } from '../../src/machine/pc.js';
import { type CountingSession, replayOf } from './machine.js';
import { differences, recordOf, same } from './machine-state.js';
import { compareMemory } from './memory.js';
import { type Firmware, type Guest, readFirmwareConfiguration, traceWithQemu } from './qemu.js';
import { readTrace, TRACE_FIELDS, type TraceRecord } from './qemu-trace.js';
import { Watchdog } from './watchdog.js';

/** Without a record for so long, QEMU has stopped. */
const SILENCE_MS = 10_000;
const MEMORY_POINTS = 8;

export interface LockstepResult {
  /** Instructions whose state before execution was compared. */
  readonly compared: number;
  /** Places on the way at which all memory was compared. */
  readonly memoryPoints: number;
  /** Null: none. */
  readonly difference: string | null;
}

/**
 * Replays QEMU's log on both sides, comparing the whole processor state before each instruction, and afterwards all memory at `MEMORY_POINTS`
 * places on the way. Stops at the first difference, at `limit` instructions, or at the end.
 */
export async function lockstep(dir: string, guest: Guest, log: string, limit: number): Promise<LockstepResult> {
  const firmware = readFirmwareConfiguration(dir, guest);
  const walk = await compareProcessor(guest, firmware, log, limit);
  const { compared, icount, difference } = walk;
  if (difference !== null) return { compared, memoryPoints: 0, difference };
  const memory = await compareMemory(dir, guest, firmware, log, icount, MEMORY_POINTS);
  return { compared, memoryPoints: memory.points.length, difference: memory.difference };
}

async function compareProcessor(guest: Guest, firmware: Firmware, log: string, limit: number): Promise<Walk> {
  const ours = replayOf(guest, firmware, log);
  const qemu = traceWithQemu(guest, log);
  const walk = new Walk(ours.session, ours.machine, limit);
  // QEMU can hang in its own replay (INTO, which it counts by the block it stands in): then the walk ends where it stopped.
  const watchdog = new Watchdog(SILENCE_MS, () => qemu.stdout!.destroy());
  try {
    for await (const records of readTrace(qemu.stdout!)) {
      watchdog.alive();
      if (!records.every((record) => walk.next(record))) break;
    }
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw e;
  } finally {
    watchdog.cancel();
    process.kill(-qemu.pid!, 'SIGKILL');
    ours.close();
  }
  return walk;
}

function hexOf(name: string, record: TraceRecord): string {
  return record[TRACE_FIELDS.findIndex((field) => field.name === name)]!.toString(16);
}

class Walk {
  compared = 0;
  difference: string | null = null;
  /** Instruction count of the last state compared. */
  icount = 0;
  private readonly session: CountingSession;
  private readonly machine: PcMachine;
  private readonly limit: number;
  private readonly ours: TraceRecord = new Uint32Array(TRACE_FIELDS.length);
  private previous: TraceRecord | null = null;
  /** Records of faulting attempts that may be passed over. */
  private attempts = 0;
  private started = false;

  constructor(session: CountingSession, machine: PcMachine, limit: number) {
    this.session = session;
    this.machine = machine;
    this.limit = limit;
  }

  /** Takes QEMU's next record; false when the walk is over. */
  next(record: TraceRecord): boolean {
    if (!this.started) {
      this.started = true;
      if (!this.step(0)) return false;
    }
    const ours = recordOf(this.machine.cpu, this.ours);
    if (!same(ours, record)) return this.passOver(record, differences(ours, record));
    this.compared++;
    this.icount = this.machine.engine.icount;
    this.previous = record;
    return this.compared < this.limit && this.step(this.machine.engine.icount + 1);
  }

  private passOver(record: TraceRecord, found: string[]): boolean {
    const repeated = this.previous !== null && same(this.previous, record);
    if (repeated || this.attempts-- > 0) {
      this.previous = record;
      return true;
    }
    const { engine } = this.machine;
    const before =
      this.previous === null ? 'the first instruction' : `the one at ${hexOf('cs selector', this.previous)}:${hexOf('eip', this.previous)}`;
    this.difference = `after ${engine.icount} instructions, behind ${before} (ours / QEMU's): ${found.join(', ')}`;
    return false;
  }

  /** Runs to the state before the instruction with that number; false at the end of the log. */
  private step(icount: number): boolean {
    this.session.exceptions = 0;
    try {
      const { stop } = this.session.run(icount);
      this.attempts = this.session.exceptions;
      return stop === 'until';
    } catch (e) {
      if (!(e instanceof DivergenceError)) throw e;
      this.difference = e.message;
      return false;
    }
  }
}
