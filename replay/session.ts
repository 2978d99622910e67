import type { AsyncEvent, MachineView, ShutdownCause } from '../src/core/machine-view.js';
import type { AudioInRequest, RecordedFrames } from '../src/core/nondet.js';
import { VirtualTime } from '../src/core/virtual-time.js';
import { DeviceRequests } from './device-requests.js';
import type { LogPosition } from './event-source.js';
import { SHUTDOWN_CAUSES, shutdownCauseSub } from './log/kinds.js';
import { SessionState } from './session-state.js';

/** Checkpoint ids of the log (LOG format, "Sub-ids"; since QEMU 2.6). */
export const CP_CLOCK_WARP_START = 0;
export const CP_CLOCK_WARP_ACCOUNT = 1;
export const CP_RESET_REQUESTED = 2;
export const CP_SUSPEND_REQUESTED = 3;
export const CP_CLOCK_VIRTUAL = 4;
export const CP_CLOCK_HOST = 5;
export const CP_CLOCK_VIRTUAL_RT = 6;
export const CP_INIT = 7;
export const CP_RESET = 8;

/** Clock ids of the log. */
export const CLOCK_HOST = 0;
export const CLOCK_VIRTUAL_RT = 1;

/** How a run ended. */
export type StopReason = 'shutdown' | 'reset' | 'end-of-log' | 'until' | 'signal';

export interface RunResult {
  readonly stop: StopReason;
  readonly icount: number;
  /** Events written (record) or consumed (replay), END counted. */
  readonly events: number;
  readonly shutdownCause: ShutdownCause | null;
}

/**
 * The doors through which a machine meets the outside, as the board wires them to devices. One implementation records a live host,
 * one replays a log; a plain run is a recording whose events go nowhere.
 */
export abstract class Session {
  readonly time: VirtualTime;
  readonly requests = new DeviceRequests();
  protected machine!: MachineView;
  protected shutdownCause: ShutdownCause | null = null;
  /** Last value of each clock, by clock id. */
  protected readonly lastClock: [bigint, bigint] = [0n, 0n];
  /** The event before, if no instruction was executed since: a checkpoint id or OTHER_EVENT. */
  protected previous: number | null = null;
  /**
   * Whether what happens now is on the vCPU's side (instructions, virtual timers, the asynchronous queue) or on the main loop's (host and virtual_rt timers,
   * resets, construction). QEMU's local APIC asks the CPU differently from its own thread and from the other.
   */
  cpuSide = false;

  constructor(shift: number) {
    this.time = new VirtualTime(shift, () => this.accountWarp());
  }

  /** The board is complete. */
  attach(machine: MachineView): void {
    this.machine = machine;
    this.time.countWith(() => machine.engine.icountNow());
  }

  /** Board construction begins / the first machine reset begins. */
  abstract checkpointInit(): void;
  abstract checkpointReset(): void;

  abstract hostClockNs(): bigint;
  abstract random(lengthBytes: number): Uint8Array;
  /** Bytes written by the guest to character device `device`; `send` is its host back-end. Returns the number accepted. */
  abstract charWrite(bytes: Uint8Array, send: (bytes: Uint8Array) => void): number;
  /** In an audio tick `frames` go to the host's sound. Returns how many it takes. */
  abstract audioOut(frames: number): number;
  /** In an audio tick the host's microphone has frames; `capture` are their samples, left and right in turn. Returns what was recorded. */
  abstract audioIn(request: AudioInRequest, capture: (request: AudioInRequest) => Int32Array): RecordedFrames;
  /** Whether the host's networks are there: what the guest sends reaches the outside. */
  abstract readonly live: boolean;
  abstract exceptionRaised(vector: number): void;
  /** See CpuBoard.countedBehindTrap. */
  countedBehindTrap(most: number): number {
    return most;
  }
  abstract interruptAllowed(): boolean;
  abstract interruptTaken(): void;
  /** A device asks for the end of the run (power button, exit port, ACPI S5). */
  abstract requestShutdown(cause: ShutdownCause): void;
  /** Runs until the log ends, the machine stops or `until` (absolute icount) is reached. */
  abstract run(until: number | null): RunResult;

  /** Where a run stands now, as if it ended here. */
  abstract standing(): RunResult;

  /** What there is to keep of the session now. Only between slices: in `onProgress`, or when `run` has returned. */
  save(): SessionState {
    const state = new SessionState();
    state.icount = this.machine.engine.icount;
    state.position = this.position;
    [state.hostClockNs, state.virtualRtNs] = this.lastClock;
    state.previous = this.previous;
    state.cause = this.shutdownCause === null ? null : shutdownCauseSub(this.shutdownCause);
    state.resetRequested = this.machine.resetRequested;
    return state;
  }

  /** Goes on from a saved moment, once the parts of the machine are those of that moment. */
  restore(state: SessionState): void {
    const { engine } = this.machine;
    engine.setIcount(state.icount);
    this.lastClock[CLOCK_HOST] = state.hostClockNs;
    this.lastClock[CLOCK_VIRTUAL_RT] = state.virtualRtNs;
    this.previous = state.previous;
    this.shutdownCause = state.cause === null ? null : (SHUTDOWN_CAUSES[state.cause] as ShutdownCause);
    this.machine.resetRequested = state.resetRequested;
    this.goOnFrom(state.position);
  }

  /** Behind the last event. */
  protected abstract readonly position: LogPosition;
  protected abstract goOnFrom(position: LogPosition): void;

  protected abstract virtualRtNs(): number;

  /** Where the log stands, for the board before its engine exists. */
  protected icountNow(): number {
    return this.machine === undefined ? 0 : this.machine.engine.icountNow();
  }

  /** The CPU is idle: begin to warp virtual time towards its next timer. */
  protected startWarp(): void {
    const now = this.virtualRtNs();
    const { time } = this;
    const deadline = time.timers.deadline;
    if (deadline === null) return;
    const distance = deadline - time.nowNs();
    if (distance <= 0) return;
    if (time.warpStart === null || time.warpStart > now) time.warpStart = now;
    const end = now + distance;
    if (time.warpTimer.deadline === null || end < time.warpTimer.deadline) time.warpTimer.arm(end);
  }

  /** A machine that was switched off is then as if it had never been. Who ends the program ends it for good. */
  protected resetMachine(): void {
    this.machine.reset();
    if (this.shutdownCause?.startsWith('guest-')) this.shutdownCause = null;
  }

  /** Ends the warp that CP_CLOCK_WARP_ACCOUNT finds pending. */
  protected accountAtCheckpoint(): void {
    this.time.warpTimer.cancel();
    this.accountWarp();
  }

  /** Adds the time slept to the bias; also the warp timer's callback. */
  private accountWarp(): void {
    const { time } = this;
    if (time.warpStart === null) return;
    time.bias += this.virtualRtNs() - time.warpStart;
    time.warpStart = null;
  }

  /** A disk request of drive 0-3 was made: its completion comes back through the log. */
  requestBlock(drive: number): void {
    this.completionDue({ kind: 'block', id: this.requests.addBlock(drive) });
  }

  /** A software reset of disk channel 0 or 1 was asked for. */
  requestDiskReset(channel: number): void {
    const id = this.icountNow();
    this.requests.addBottomHalf(id, channel);
    this.completionDue({ kind: 'bh-oneshot', id });
  }

  /** A completion exists; a recording decides here when it comes, a replay has it in its log. */
  protected abstract completionDue(event: AsyncEvent): void;

  /** Hands an event to its device; false when nobody waits for it. */
  protected deliver(event: AsyncEvent): boolean {
    if (event.kind === 'block') {
      const drive = this.requests.takeBlock(event.id);
      if (drive === null) return false;
      this.machine.completeBlock(drive);
    } else if (event.kind === 'bh-oneshot') {
      const channel = this.requests.takeBottomHalf(event.id);
      if (channel === null) return false;
      this.machine.resetDiskChannel(channel);
    } else return this.machine.deliver(event);
    return true;
  }
}
