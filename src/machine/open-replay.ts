import type { EngineOptions } from '../../jit/x86/engine.js';
import { LogEventSource } from '../../replay/log/event-source.js';
import { type ReplayOptions, ReplaySession } from '../../replay/replay-session.js';
import type { MachineConfig } from './config.js';
import type { Job } from './job.js';
import { PcMachine } from './pc.js';

/** What a replay needs to know of a recording, and whom it tells how it goes. */
export interface ReplaySettings
  extends Pick<Job, 'config' | 'logFormat' | 'strict'>,
    Pick<ReplayOptions, 'onProgress' | 'stopRequested' | 'alreadyShown'> {
  readonly log: string;
  readonly jit: EngineOptions['jit'];
}

/** A log that is open, and the session that follows it. */
export interface OpenReplay {
  readonly source: LogEventSource;
  readonly session: ReplaySession;
  /** Of the machine, as it is built. */
  readonly config: MachineConfig;
  /** Builds the machine, once; it consumes the first events of the log. Throws DivergenceError. */
  build(observed?: Omit<EngineOptions, 'jit'>): PcMachine;
}

/** The one place where replays begin. Throws UserError when the log cannot be read. */
export function openReplay({ log, logFormat, strict, jit, config: recorded, ...told }: ReplaySettings): OpenReplay {
  const source = new LogEventSource(log, logFormat);
  const session = new ReplaySession(source, { shift: recorded.shift, noReboot: recorded.noReboot, strict, ...told });
  // QEMU's keyboard controller changed with its log.
  const config = { ...recorded, unlatchedI8042: !strict && source.generation === 'A' };
  return { source, session, config, build: (observed) => new PcMachine(config, session, jit, undefined, observed) };
}
