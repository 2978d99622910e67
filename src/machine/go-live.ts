import type { EngineOptions } from '../../jit/x86/engine.js';
import { NullSink } from '../../replay/event-sink.js';
import type { HostEnvironment, HostRequest } from '../../replay/host.js';
import { RecordSession } from '../../replay/record-session.js';
import type { Session } from '../../replay/session.js';
import { PAGE_SHIFT, PAGE_SIZE } from '../memory/physical.js';
import type { CharTarget, MachineConfig } from './config.js';
import type { JitMode } from './job.js';
import { PcMachine } from './pc.js';
import { restoreMachine, type SavedAreas, saveMachine } from './saved-machine.js';

/** A machine that has left its log. */
export interface LiveMachine {
  readonly machine: PcMachine;
  readonly session: RecordSession;
  /** As the machine sees it. */
  readonly host: HostEnvironment;
}

/** What a machine that goes live is given, besides a host. */
export interface LiveOptions {
  readonly jit: JitMode;
  readonly onProgress: (icount: number, events: number) => void;
  readonly pauseRequested?: () => boolean;
  readonly stops?: EngineOptions['stops'];
}

/**
 * Leaves a replay where it stands, between two slices: a machine in the same state goes on with the host's devices. Disk requests under way are done, and both clocks
 * go on from what the log said last.
 * @param replaying `close` ends the old machine, which will not run again
 */
export function goLive(
  replaying: { readonly machine: PcMachine; readonly session: Session; close(): void },
  host: HostEnvironment,
  { jit, onProgress, pauseRequested, stops }: LiveOptions,
): LiveMachine {
  const { machine: old } = replaying;
  const { config } = old;
  const saved = saveMachine(old, replaying.session);
  const { hostClockNs, virtualRtNs } = replaying.session.save();
  replaying.close();
  let machine: PcMachine | null = null;
  const continued = new ContinuedHost(host, hostClockNs, Number(virtualRtNs));
  const session = new RecordSession(
    continued,
    new NullSink(),
    {
      shift: config.shift,
      noReboot: config.noReboot,
      asyncFirst: true,
      onProgress,
      ...(pauseRequested === undefined ? {} : { pauseRequested }),
    },
    (device) => machine?.canReceive(device) ?? 0,
  );
  machine = new PcMachine(withoutEmptying(config), session, jit, undefined, stops === undefined ? {} : { stops });
  restoreMachine(machine, session, saved, areasOf(old));
  return { machine, session, host: continued };
}

/** The large areas of a machine that will not run again: nothing is copied. */
function areasOf({ memory, overlays }: PcMachine): SavedAreas {
  return {
    *pages() {
      for (let page = 0; page < memory.u8.length >>> PAGE_SHIFT; page++)
        yield [page, memory.u8.subarray(page * PAGE_SIZE, (page + 1) * PAGE_SIZE)];
    },
    *chunks(part) {
      const { clusters } = overlays[part]!;
      for (const number of clusters.numbers()) yield [number, clusters.get(number)!];
    },
  };
}

/** What the replay wrote to files stays. */
function withoutEmptying(config: MachineConfig): MachineConfig {
  const more = (target: CharTarget): CharTarget => (target.kind === 'file' ? { ...target, append: true } : target);
  const { debugcon, audio } = config;
  return {
    ...config,
    ...(audio?.target.kind === 'wav' ? { audio: { ...audio, target: { ...audio.target, append: true } } } : {}),
    serial: config.serial.map(more),
    debugcon: debugcon === null ? null : { ...debugcon, target: more(debugcon.target) },
  };
}

/** A host whose clocks go on from those of a recording. */
class ContinuedHost implements HostEnvironment {
  private readonly host: HostEnvironment;
  private readonly wallOffsetNs: bigint;
  private readonly monotonicOffsetNs: number;

  constructor(host: HostEnvironment, wallNs: bigint, monotonicNs: number) {
    this.host = host;
    this.wallOffsetNs = wallNs - host.wallNs();
    this.monotonicOffsetNs = monotonicNs - host.monotonicNs();
  }

  wallNs(): bigint {
    return this.host.wallNs() + this.wallOffsetNs;
  }

  monotonicNs(): number {
    return this.host.monotonicNs() + this.monotonicOffsetNs;
  }

  random(lengthBytes: number): Uint8Array {
    return this.host.random(lengthBytes);
  }

  poll(icount: number): HostRequest[] {
    return this.host.poll(icount);
  }

  wait(ns: number | null): void {
    this.host.wait(ns);
  }
}
