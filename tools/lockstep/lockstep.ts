import { LogEventSource } from '../../replay/log/event-source.js';
import { ReplaySession } from '../../replay/replay-session.js';
import { DivergenceError } from '../../src/core/errors.js';
import { configure } from '../../src/machine/config.js';
import { PcMachine } from '../../src/machine/pc.js';
import { differences, recordOf } from './machine-state.js';
import { type Guest, readFirmwareConfiguration, traceWithQemu } from './qemu.js';
import { readTrace, type TraceRecord } from './qemu-trace.js';

/** Without a record for so long, QEMU has stopped. */
const SILENCE_MS = 10_000;

export interface LockstepResult {
  /** Instructions whose state before execution was compared. */
  readonly compared: number;
  /** Null: none. */
  readonly difference: string | null;
}

/** Counts the exceptions of a step: each faulting attempt has a record of its own in QEMU's trace, but no instruction count. */
class CountingSession extends ReplaySession {
  exceptions = 0;
  override exceptionRaised(vector: number): void {
    this.exceptions++;
    super.exceptionRaised(vector);
  }
}

/** Replays QEMU's log on both sides, comparing the whole processor state before each instruction. Stops at the first difference, at `limit` instructions, or at the end. */
export async function lockstep(dir: string, guest: Guest, log: string, limit: number): Promise<LockstepResult> {
  const config = configure({
    machine: 'pc,acpi=off',
    cpu: guest.cpu,
    memory: `${guest.memoryMiB}M`,
    nodefaults: true,
    bios: guest.bios,
    debugcon: 'null,iobase=0xe9',
    icount: `shift=${guest.shift}`,
    noReboot: true,
  });
  const firmware = readFirmwareConfiguration(dir, guest);
  const source = new LogEventSource(log);
  const session = new CountingSession(source, { shift: guest.shift, noReboot: true, strict: false });
  const machine = new PcMachine(config, session, 'off', (fwCfg) => {
    for (const [key, data] of firmware.items) fwCfg.addBytes(key, data);
    for (const [name, data] of firmware.files) fwCfg.addFile(name, data);
  });
  const qemu = traceWithQemu(guest, log);
  const walk = new Walk(session, machine, limit);
  // QEMU can hang in its own replay (INTO, which it counts by the block it stands in): then the walk ends where it stopped.
  const end = (): void => {
    qemu.stdout!.destroy();
  };
  const watchdog = setTimeout(end, SILENCE_MS);
  try {
    for await (const record of readTrace(qemu.stdout!)) {
      watchdog.refresh();
      if (!walk.next(record)) break;
    }
    return { compared: walk.compared, difference: walk.difference };
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw e;
    return { compared: walk.compared, difference: walk.difference };
  } finally {
    clearTimeout(watchdog);
    process.kill(-qemu.pid!, 'SIGKILL');
    source.close();
    machine.close();
  }
}

class Walk {
  compared = 0;
  difference: string | null = null;
  private readonly session: CountingSession;
  private readonly machine: PcMachine;
  private readonly limit: number;
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
    const found = differences(recordOf(this.machine.cpu), record);
    if (found.length > 0) return this.passOver(record, found);
    this.compared++;
    this.previous = record;
    return this.compared < this.limit && this.step(this.machine.engine.icount + 1);
  }

  private passOver(record: TraceRecord, found: string[]): boolean {
    const repeated = this.previous !== null && differences(this.previous, record).length === 0;
    if (repeated || this.attempts-- > 0) {
      this.previous = record;
      return true;
    }
    const { engine } = this.machine;
    const before =
      this.previous === null
        ? 'the first instruction'
        : `the one at ${this.previous.segments[1]![0].toString(16)}:${this.previous.eip.toString(16)}`;
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
