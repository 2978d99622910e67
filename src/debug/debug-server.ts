import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { peekMemory, pokeMemory } from '../../jit/x86/debug-memory.js';
import { readRegisters, writeRegister } from '../../jit/x86/register-access.js';
import type { HostRequest } from '../../replay/host.js';
import { RecordSession } from '../../replay/record-session.js';
import type { MachineStatus, Motion, Position, Refusal } from '../core/debug-target.js';
import { digestMachine } from '../core/digest.js';
import { UserError } from '../core/errors.js';
import { describeAddresses } from '../machine/describe-addresses.js';
import { describeDevices } from '../machine/describe-devices.js';
import { describeDrives } from '../machine/describe-drives.js';
import { describeNetworks } from '../machine/describe-networks.js';
import type { ControlBlock, Job } from '../machine/job.js';
import type { SnapshotEntry } from '../machine/snapshot-table.js';
import { Debugger } from './debugger.js';
import type { LiveIncarnator } from './live-incarnator.js';
import { MachineSnapshots } from './machine-snapshots.js';
import type { DebugAnswer, DebugCalls, DebugEvent, DebugMessage } from './messages.js';
import { ReplayIncarnator } from './replay-incarnator.js';
import { SEARCH_OVER, type Searcher, type SearchOutcome, type Sought, type Stretch } from './search.js';

/** QEMU's words. */
const NOT_NOW = 'Record/replay does not allow making snapshot right now. Try once more later.';
const LOAD_WHILE_RECORDING = 'a snapshot cannot be loaded while the machine is recorded: the recording could not be replayed';

const DESCRIPTIONS = { devices: describeDevices, addresses: describeAddresses, networks: describeNetworks };

/** QEMU's name for where a debugger begins. */
const START = 'start_debugging';

/** In the machine's thread: answers debuggers and monitors, and moves the machine as they say. */
export class DebugServer implements Searcher {
  private readonly port: MessagePort;
  private readonly control: ControlBlock;
  private readonly target: Debugger;
  /** How long nobody let the machine run. */
  stoodStillNs = 0;
  private seen = -1;
  /** The next move. */
  private motion: Motion | null = null;
  /** The move that is being made. */
  private moving: Motion | null = null;
  private pausing = false;
  private ended = false;
  /** For a live machine, oldest first. */
  private inputs: HostRequest[] = [];
  /** Undefined: nothing was searched for, or it is not known yet. */
  private searched: SearchOutcome | undefined;

  private readonly job: Omit<Job, 'control'>;
  private readonly live: (job: Omit<Job, 'control'>) => LiveIncarnator;
  private snapshots: MachineSnapshots;
  /** Where the last debugger that came found a replay. */
  private start: { readonly position: Position; readonly entry: SnapshotEntry } | null = null;

  /** @param live makes live machines. Throws UserError. */
  constructor(
    port: MessagePort,
    control: ControlBlock,
    job: Omit<Job, 'control'>,
    live: (server: DebugServer, job: Omit<Job, 'control'>) => LiveIncarnator,
  ) {
    this.port = port;
    this.control = control;
    this.job = job;
    this.live = (of) => live(this, of);
    this.snapshots = new MachineSnapshots(job);
    const replays = job.kind === 'replay';
    this.target = new Debugger(replays ? new ReplayIncarnator(job) : this.live(job), () => this.look(), { searcher: this });
    if (replays && job.snapshots?.first) this.loadSnapshot(job.snapshots.first);
    this.target.onReset = (byGuest) => this.post({ event: 'reset', byGuest });
  }

  /** Serves until somebody quits. */
  serve(): void {
    this.post({ event: 'ready' });
    try {
      while (!this.ended) {
        const { generation } = this.control;
        this.takeMessages();
        if (this.motion !== null) this.moveNow(this.motion);
        else if (!this.ended) this.standStill(generation);
      }
    } finally {
      this.target.close();
    }
  }

  /** What came from outside for a live machine since the last call. */
  takeInputs(): HostRequest[] {
    this.look();
    const { inputs } = this;
    this.inputs = [];
    return inputs;
  }

  /** A live machine sleeps: until there is a message, or the time (milliseconds) is over. */
  sleep(milliseconds: number): void {
    this.control.sleep(this.seen, milliseconds);
  }

  /** The other thread has a pool of machines: waits for what they find. */
  search(stretches: readonly Stretch[], { breakpoints, watchpoints }: Sought): SearchOutcome {
    const useful = new SharedArrayBuffer(4);
    this.searched = undefined;
    this.post({ event: 'search', request: { stretches, sought: { breakpoints, watchpoints }, useful } });
    for (;;) {
      const { generation } = this.control;
      this.takeMessages();
      if (this.searched !== undefined) return this.searched;
      if (this.pausing) Atomics.store(new Int32Array(useful), 0, SEARCH_OVER);
      this.control.sleep(generation, Number.POSITIVE_INFINITY);
    }
  }

  private standStill(generation: number): void {
    const from = process.hrtime.bigint();
    this.control.sleep(generation, Number.POSITIVE_INFINITY);
    this.stoodStillNs += Number(process.hrtime.bigint() - from);
  }

  private moveNow(motion: Motion): void {
    this.motion = null;
    this.moving = motion;
    const cause = this.target.move(motion);
    this.moving = null;
    this.pausing = false;
    this.post({ event: 'stopped', cause, status: this.status() });
    // A reset may have been asked for while it was being switched off.
    const { session } = this.target;
    if (cause.kind === 'shutdown' && session instanceof RecordSession) session.takeRequests();
  }

  private status(): MachineStatus {
    const motion = (this.moving ?? this.motion)?.kind ?? null;
    return { running: motion !== null, motion, ...this.target.status };
  }

  /** Between slices: serves what has come; true when the machine is to stand still. */
  private look(): boolean {
    const { generation } = this.control;
    if (generation !== this.seen) {
      this.seen = generation;
      this.takeMessages();
      const { icount } = this.target.position;
      this.control.report(icount, 0, 0);
    }
    return this.pausing;
  }

  private takeMessages(): void {
    for (let m = receiveMessageOnPort(this.port); m !== undefined; m = receiveMessageOnPort(this.port)) {
      const message = m.message as DebugMessage;
      this.port.postMessage(this.reply(message));
    }
  }

  private reply(message: DebugMessage): DebugAnswer {
    const { id } = message;
    try {
      return { id, answer: this.answer(message) };
    } catch (e) {
      if (!(e instanceof UserError)) throw e;
      return { id, answer: null, refused: { code: e.code, message: e.message } };
    }
  }

  private answer(m: DebugMessage): unknown {
    const { target } = this;
    const { machine } = target;
    switch (m.call) {
      case 'status':
        return this.status();
      case 'registers':
        return readRegisters(machine.cpu, machine.taskPriority);
      case 'writeRegister':
        target.altered();
        writeRegister(machine.cpu, m.register);
        return null;
      case 'readMemory':
        return peekMemory(machine.cpu, m.space, m.address, m.lengthBytes);
      case 'writeMemory':
        target.altered();
        return pokeMemory(machine.cpu, m.space, m.address, m.bytes);
      case 'breakpoints':
        target.setBreakpoints(m.addresses);
        return null;
      case 'changeBreakpoint':
        target.changeBreakpoint(m.address, m.insert);
        return null;
      case 'watchpoints':
        target.setWatchpoints(m.watchpoints);
        return null;
      case 'icountBreaks':
        target.setIcountBreaks(m.icounts);
        return null;
      case 'move':
        return this.begin(m.motion);
      case 'pause':
        this.pausing = this.moving !== null || this.motion !== null;
        return null;
      case 'input':
        return this.ask(...m.requests);
      case 'reset':
        return this.reset();
      case 'powerButton':
        return this.ask({ kind: 'power-button' });
      case 'attached':
        return this.markStart();
      case 'snapshots':
        return this.start === null ? this.snapshots.list() : [...this.snapshots.list(), this.start.entry];
      case 'saveSnapshot':
        return this.saveSnapshot(m.name);
      case 'loadSnapshot':
        return this.loadSnapshot(m.name);
      case 'deleteSnapshot':
        if (m.name === START) this.start = null;
        this.snapshots.delete(m.name);
        return null;
      case 'goLive':
        return this.goLive();
      case 'describe':
        return DESCRIPTIONS[m.what](machine);
      case 'drives':
        return describeDrives(machine, this.job);
      case 'screen':
        return machine.screen();
      case 'digest':
        return digestMachine(machine.parts, machine.memory.u8).total;
      case 'searched':
        this.searched = m.outcome;
        return null;
      case 'quit':
        this.ended = this.pausing = true;
        return null;
    }
  }

  /** Something from outside, for a live machine. */
  private ask(...requests: HostRequest[]): boolean {
    const { status, session } = this.target;
    if (status.mode === 'play') return false;
    this.inputs.push(...requests);
    if (this.moving === null && session instanceof RecordSession) session.takeRequests();
    return true;
  }

  /** As QEMU: with -no-reboot, whoever resets a machine that stands still ends the program, and the machine, if it stays, may run on. */
  private reset(): DebugCalls['reset']['answer'] {
    const standing = this.moving === null && this.motion === null;
    if (standing && this.job.config.noReboot && this.target.status.mode !== 'play') return 'shutdown';
    return this.ask({ kind: 'reset' }) ? 'taken' : 'refused';
  }

  private saveSnapshot(name: string): null {
    const { target } = this;
    if (!target.whole) throw new UserError('not-supported', NOT_NOW);
    target.flush();
    this.snapshots.save(name, target.machine, target.session);
    return null;
  }

  /** As QEMU, which takes a snapshot when a debugger comes to a replay without one. Here all of a recording can be gone back to: the place is enough. */
  private markStart(): null {
    const { mode, position } = this.target.status;
    if (mode !== 'play' || this.job.snapshots?.first || this.snapshots.has(START)) return null;
    const entry = {
      ...{ id: START, name: START, l1Offset: 0, l1Entries: 0, diskBytes: 0, vmStateBytes: 0 },
      ...{ dateSeconds: Math.floor(Date.now() / 1000), dateNanoseconds: 0 },
      ...{ vmClockNs: this.target.machine.time.nowNs(), icount: position.icount },
    };
    this.start = { position, entry };
    return null;
  }

  private loadSnapshot(name: string): null {
    const { target, snapshots, start } = this;
    const { mode } = target.status;
    if (this.moving !== null) throw new UserError('not-supported', 'the machine is running');
    if (name === START && start !== null) {
      target.returnTo(start.position);
      return null;
    }
    const { icount } = snapshots.named(name);
    if (mode === 'record') throw new UserError('not-supported', LOAD_WHILE_RECORDING);
    target.load((machine, session) => snapshots.load(name, machine, session));
    if (mode === 'play' && icount !== null) target.countDeliveries((moment) => snapshots.deliveriesBefore(moment));
    return null;
  }

  private goLive(): null {
    if (this.target.status.mode !== 'play') throw new UserError('not-supported', 'the machine is live already');
    if (this.moving !== null) throw new UserError('not-supported', 'the machine is running');
    const job = { ...this.job, kind: 'run', log: null } as const;
    this.target.goLive(this.live(job));
    this.snapshots = new MachineSnapshots(job);
    this.start = null;
    return null;
  }

  private begin(motion: Motion): Refusal | null {
    if (this.moving !== null || this.motion !== null) return 'running';
    const refusal = this.target.refusal(motion);
    if (refusal !== null) return refusal;
    this.motion = motion;
    // Everybody hears of it before the answer, as in QEMU.
    this.post({ event: 'resumed' });
    return null;
  }

  private post(event: DebugEvent): void {
    this.port.postMessage(event);
  }
}
