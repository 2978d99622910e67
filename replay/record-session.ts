import { type AsyncEvent, POWER_BUTTON, type ShutdownCause } from '../src/core/machine-view.js';
import type { AudioInRequest, RecordedFrames } from '../src/core/nondet.js';
import { samplesToLog } from './audio-samples.js';
import type { EventSink } from './event-sink.js';
import type { LogPosition } from './event-source.js';
import type { HostEnvironment, HostRequest } from './host.js';
import {
  CLOCK_HOST,
  CLOCK_VIRTUAL_RT,
  CP_CLOCK_HOST,
  CP_CLOCK_VIRTUAL,
  CP_CLOCK_VIRTUAL_RT,
  CP_CLOCK_WARP_ACCOUNT,
  CP_CLOCK_WARP_START,
  CP_INIT,
  CP_RESET,
  CP_RESET_REQUESTED,
  type RunResult,
  Session,
  type StopReason,
} from './session.js';

/** Longest slice between two looks at the host, in instructions. Not visible in the log. */
const POLL_INTERVAL = 250_000;

/** Characters that wait for a guest that does not read; further ones are lost, as on a line. */
const MAX_PENDING_CHARS = 1 << 20;

/** Frames from outside that come while more wait are lost, as on a wire. */
const MAX_PENDING_EVENTS = 2048;

export interface RecordOptions {
  readonly shift: number;
  /** A guest reset ends the run. */
  readonly noReboot: boolean;
  /** Asynchronous events come before their CP_CLOCK_WARP_ACCOUNT (log generation of 7.1 and later) or after it. */
  readonly asyncFirst: boolean;
  /** Called between slices. */
  readonly onProgress?: (icount: number, events: number) => void;
  /** A debugger wants the machine to stand still: `run` returns, and can be called again. */
  readonly pauseRequested?: () => boolean;
}

/**
 * Runs a live machine and writes what it learns from outside. The order of events within a turn is QEMU's (LOG format "Order inside one turn"):
 * a turn of the main loop (host clock, virtual_rt timers, reset), then one of the vCPU (asynchronous events and CP_CLOCK_WARP_ACCOUNT, virtual timers, a slice).
 */
export class RecordSession extends Session {
  private readonly queue: AsyncEvent[] = [];
  /** Characters from the host that their device could not take yet, by device index. */
  private readonly pendingChars = new Map<number, Uint8Array>();
  private stopping = false;
  private resetAsked = false;
  /** The next vCPU turn must begin with CP_CLOCK_WARP_ACCOUNT. */
  private turnDue = true;
  private readonly canReceive: (device: number) => number;
  private readonly host: HostEnvironment;
  private readonly sink: EventSink;
  private readonly options: RecordOptions;

  /** @param canReceive how many characters the front end of a device takes now. */
  constructor(host: HostEnvironment, sink: EventSink, options: RecordOptions, canReceive: (device: number) => number) {
    super(options.shift);
    this.host = host;
    this.sink = sink;
    this.options = options;
    this.canReceive = canReceive;
    // The slice's budget was for a later deadline.
    this.time.timers.onEarlier = () => this.machine?.engine.kick();
  }

  checkpointInit(): void {
    this.sink.checkpoint(0, CP_INIT);
  }

  checkpointReset(): void {
    this.sink.checkpoint(0, CP_RESET);
  }

  hostClockNs(): bigint {
    const ns = this.host.wallNs();
    this.lastClock[CLOCK_HOST] = ns;
    this.sink.clock(this.icountNow(), CLOCK_HOST, ns);
    return ns;
  }

  protected virtualRtNs(): number {
    const ns = this.host.monotonicNs();
    this.lastClock[CLOCK_VIRTUAL_RT] = BigInt(ns);
    this.sink.clock(this.icountNow(), CLOCK_VIRTUAL_RT, this.lastClock[CLOCK_VIRTUAL_RT]);
    return ns;
  }

  random(lengthBytes: number): Uint8Array {
    const bytes = this.host.random(lengthBytes);
    this.sink.random(this.icountNow(), 0, bytes);
    return bytes;
  }

  charWrite(bytes: Uint8Array, send: (bytes: Uint8Array) => void): number {
    send(bytes);
    this.sink.charWrite(this.icountNow(), bytes.length, bytes.length);
    return bytes.length;
  }

  audioOut(frames: number): number {
    this.sink.audioOut(this.icountNow(), frames);
    return frames;
  }

  audioIn(request: AudioInRequest, capture: (request: AudioInRequest) => Int32Array): RecordedFrames {
    const { frames, position, ringFrames } = request;
    // A whole ring has no samples in the log: the guest is to hear what a replay gives it.
    const samples = frames < ringFrames ? capture(request) : new Int32Array(0);
    this.sink.audioIn(this.icountNow(), frames, (position + frames) % ringFrames, samplesToLog(samples));
    return { count: frames, samples };
  }

  readonly live = true;

  exceptionRaised(): void {
    this.sink.exception(this.icountNow());
  }

  interruptAllowed(): boolean {
    return true;
  }

  interruptTaken(): void {
    this.sink.interrupt(this.icountNow());
  }

  requestShutdown(cause: ShutdownCause): void {
    this.sink.shutdown(this.icountNow(), cause);
    this.shutdownCause = cause;
    this.machine.engine.kick();
  }

  standing(stop: StopReason = 'signal'): RunResult {
    return {
      stop,
      icount: this.machine === undefined ? 0 : this.machine.engine.icount,
      events: this.sink.events,
      shutdownCause: this.shutdownCause,
    };
  }

  run(until: number | null): RunResult {
    let stop: StopReason | null = null;
    while (stop === null) {
      this.pollHost();
      if (this.options.pauseRequested?.() === true) return this.standing();
      stop = this.mainTurn(until) ?? this.vcpuTurn(until);
      this.options.onProgress?.(this.machine.engine.icount, this.sink.events);
    }
    return this.standing(stop);
  }

  /** A machine that somebody keeps from running takes what is asked of it: a reset comes at once, all else waits until it runs. */
  takeRequests(): void {
    this.pollHost();
    if (this.resetAsked && !this.options.noReboot) this.monitorReset();
  }

  protected get position(): LogPosition {
    return this.sink.position;
  }

  /** The guest goes on with the outside it meets here: nothing is known of what the log had next. Requests under way are done. */
  protected goOnFrom(): void {
    this.queue.length = 0;
    this.pendingChars.clear();
    this.queue.push(...this.requests.pending());
    this.turnDue = true;
    // The end of the recording is not the guest's.
    if (this.shutdownCause?.startsWith('host-')) this.shutdownCause = null;
  }

  /** Requests are served at once: their completion is the next asynchronous event. */
  protected completionDue(event: AsyncEvent): void {
    this.queue.push(event);
    this.machine.engine.kick();
  }

  private pollHost(): void {
    for (const request of this.host.poll(this.machine.engine.icount)) this.accept(request);
    for (const [device, bytes] of this.pendingChars) this.offerChars(device, bytes);
  }

  private accept(request: HostRequest): void {
    switch (request.kind) {
      case 'stop':
        this.stopping = true;
        break;
      case 'reset':
        this.resetAsked = true;
        break;
      case 'power-button':
        this.queue.push({ kind: 'bh', id: POWER_BUTTON });
        break;
      case 'input':
        this.queue.push({ kind: 'input', event: request.event });
        break;
      case 'input-sync':
        this.queue.push({ kind: 'input-sync' });
        break;
      case 'packet':
        if (this.queue.length < MAX_PENDING_EVENTS)
          this.queue.push({ kind: 'net', filter: request.network, flags: 0, bytes: request.frame });
        break;
      case 'chars': {
        const before = this.pendingChars.get(request.device) ?? new Uint8Array(0);
        if (before.length + request.bytes.length > MAX_PENDING_CHARS) break;
        const all = new Uint8Array(before.length + request.bytes.length);
        all.set(before);
        all.set(request.bytes, before.length);
        this.pendingChars.set(request.device, all);
      }
    }
  }

  private offerChars(device: number, bytes: Uint8Array): void {
    const n = Math.min(bytes.length, this.canReceive(device));
    if (n <= 0) return;
    this.queue.push({ kind: 'char-read', device, bytes: bytes.slice(0, n) });
    if (n === bytes.length) this.pendingChars.delete(device);
    else this.pendingChars.set(device, bytes.slice(n));
  }

  /** Host clock and virtual_rt timers, requests. Returns why the run ends, if it does. */
  private mainTurn(until: number | null): StopReason | null {
    const { engine } = this.machine;
    this.cpuSide = false;
    this.runHostTimers();
    this.runRtTimers();
    if (this.shutdownCause !== null) return 'shutdown';
    if (this.stopping) return 'signal';
    if (this.resetAsked) {
      if (this.options.noReboot) return 'reset';
      this.monitorReset();
    }
    if (this.machine.resetRequested) {
      if (this.options.noReboot) return 'reset';
      this.sink.checkpoint(engine.icount, CP_RESET_REQUESTED);
      this.resetMachine();
      this.turnDue = true;
    }
    return until !== null && engine.icount >= until ? 'until' : null;
  }

  /** In the log CP_CLOCK_WARP_ACCOUNT and CP_RESET_REQUESTED follow each other; the guest's own resets have an instruction or an exception between them. */
  private monitorReset(): void {
    const { icount } = this.machine.engine;
    this.resetAsked = false;
    this.cpuSide = false;
    this.sink.checkpoint(icount, CP_CLOCK_WARP_ACCOUNT);
    this.accountAtCheckpoint();
    this.sink.checkpoint(icount, CP_RESET_REQUESTED);
    this.resetMachine();
    this.turnDue = true;
  }

  private runHostTimers(): void {
    const { hostTimers, engine } = this.machine;
    const deadline = hostTimers.deadline;
    if (deadline === null || this.host.wallNs() < deadline) return;
    this.sink.checkpoint(engine.icount, CP_CLOCK_HOST);
    const now = this.hostClockNs();
    for (let t = hostTimers.takeDue(now); t !== null; t = hostTimers.takeDue(now)) t.callback();
    this.turnDue = true;
  }

  private runRtTimers(): void {
    const { rtTimers } = this.time;
    const deadline = rtTimers.deadline;
    if (deadline === null || this.host.monotonicNs() < deadline) return;
    this.sink.checkpoint(this.machine.engine.icount, CP_CLOCK_VIRTUAL_RT);
    const now = this.virtualRtNs();
    for (let t = rtTimers.takeDue(now); t !== null; t = rtTimers.takeDue(now)) t.callback();
    this.turnDue = true;
  }

  private vcpuTurn(until: number | null): StopReason | null {
    const { engine } = this.machine;
    const { time } = this;
    this.cpuSide = true;
    if (this.turnDue || this.queue.length > 0 || time.instructionsToDeadline() === 0) {
      this.turnDue = false;
      this.drainAndAccount();
      this.runVirtualTimers();
    }
    if (engine.halted && !engine.wake()) {
      this.idle();
      return null;
    }
    const distance = until === null ? Number.POSITIVE_INFINITY : until - engine.icount;
    const end = engine.run(Math.min(POLL_INTERVAL, time.instructionsToDeadline(), distance));
    if (end === 'shutdown') this.machine.resetRequested = true;
    if (end !== 'budget') this.turnDue = true;
    return null;
  }

  private drainAndAccount(): void {
    const { icount } = this.machine.engine;
    if (!this.options.asyncFirst) this.sink.checkpoint(icount, CP_CLOCK_WARP_ACCOUNT);
    for (let event = this.queue.shift(); event !== undefined; event = this.queue.shift()) {
      this.sink.async(icount, CP_CLOCK_WARP_ACCOUNT, event);
      this.deliver(event);
    }
    if (this.options.asyncFirst) this.sink.checkpoint(icount, CP_CLOCK_WARP_ACCOUNT);
    this.accountAtCheckpoint();
  }

  private runVirtualTimers(): void {
    const { time } = this;
    for (;;) {
      const timer = time.timers.takeDue(time.nowNs());
      if (timer === null) return;
      this.sink.checkpoint(this.machine.engine.icount, CP_CLOCK_VIRTUAL);
      timer.callback();
    }
  }

  /** The CPU sleeps: start a warp (once per sleep) and wait for a timer or a request. */
  private idle(): void {
    const { time } = this;
    if (time.warpStart === null) {
      this.sink.checkpoint(this.machine.engine.icount, CP_CLOCK_WARP_START);
      this.startWarp();
      this.sink.flush();
    }
    const waits: number[] = [];
    if (time.warpTimer.deadline !== null) waits.push(time.warpTimer.deadline - this.host.monotonicNs());
    const hostDeadline = this.machine.hostTimers.deadline;
    if (hostDeadline !== null) waits.push(Number(hostDeadline - this.host.wallNs()));
    this.host.wait(waits.length === 0 ? null : Math.max(0, Math.min(...waits)));
  }
}
