import type { EngineOptions } from '../../jit/x86/engine.js';
import type { LogEventSource } from '../../replay/log/event-source.js';
import type { LogFormat } from '../../replay/log/tables.js';
import type { ReplaySession } from '../../replay/replay-session.js';
import type { RunResult } from '../../replay/session.js';
import { digestMachine, type MachineDigest } from '../../src/core/digest.js';
import type { MachineConfig } from '../../src/machine/config.js';
import type { JitMode } from '../../src/machine/job.js';
import { openReplay } from '../../src/machine/open-replay.js';
import type { PcMachine } from '../../src/machine/pc.js';
import { restoreMachine, type SavedAreas, type SavedMachine, saveMachine } from '../../src/machine/saved-machine.js';

const PAGE = 4096;

/** A log to be replayed, in this thread. */
export interface Replayed {
  readonly log: string;
  readonly config: MachineConfig;
  readonly format?: LogFormat;
  readonly strict: boolean;
}

/** Everything of a machine, in memory of its own. */
export interface WholeState {
  readonly saved: SavedMachine;
  readonly areas: SavedAreas;
}

/** Copies a machine's large areas. */
export function copyAreas(machine: PcMachine): SavedAreas {
  const memory = machine.memory.u8.slice();
  const chunks = new Map(
    Object.entries(machine.overlays).map(([name, { clusters }]) => [
      name,
      clusters.numbers().map((n) => [n, clusters.get(n)!.slice()] as const),
    ]),
  );
  return {
    *pages() {
      for (let page = 0; page * PAGE < memory.length; page++) yield [page, memory.subarray(page * PAGE, (page + 1) * PAGE)];
    },
    chunks: (part) => chunks.get(part)!,
  };
}

/** A machine that follows a log, one stretch at a time. */
export class Replaying {
  readonly machine: PcMachine;
  readonly session: ReplaySession;
  private readonly source: LogEventSource;

  constructor({ log, config, format, strict }: Replayed, jit: JitMode, observed: Omit<EngineOptions, 'jit'> = {}) {
    const { source, session, build } = openReplay({ log, config, logFormat: format ?? '5.2', strict, jit });
    this.source = source;
    this.session = session;
    this.machine = build(observed);
  }

  /** @param events so many consumed, where the run is to stop; null: all that are due */
  run(until: number | null, events: number | null = null): RunResult {
    return this.session.run(until, events);
  }

  digest(): MachineDigest {
    return digestMachine(this.machine.parts, this.machine.memory.u8);
  }

  save(): WholeState {
    return { saved: saveMachine(this.machine, this.session), areas: copyAreas(this.machine) };
  }

  restore({ saved, areas }: WholeState): void {
    restoreMachine(this.machine, this.session, saved, areas);
  }

  close(): void {
    this.source.close();
    this.machine.close();
  }
}
