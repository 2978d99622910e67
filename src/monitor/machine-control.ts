import type { HostRequest } from '../../replay/host.js';
import type { MachineStatus, Motion, StopCause } from '../core/debug-target.js';
import { type DebuggedMachine, nextStop } from '../debug/machine-thread.js';
import type { CharDeviceInfo } from './char-devices.js';
import { type DriveNames, type NamedDrive, nameDrives } from './drive-text.js';
import { Jobs } from './jobs.js';

/** A command could not be carried out; the sentence is what the user sees. */
export class CommandError extends Error {}

/** The same, where QEMU's human monitor begins with "Error: ". */
export class ReportedError extends CommandError {}

const REFUSALS = {
  running: 'the machine is running',
  'not-a-replay': 'replay must be enabled to seek',
  'at-the-beginning': 'cannot seek to the specified instruction count',
  'out-of-reach': 'cannot seek to the specified instruction count',
} as const;

/** How somebody outside ends the machine, in QMP's words. */
export type HostShutdown = 'host-qmp-quit' | 'host-qmp-system-reset' | 'host-signal';

/** What monitors do with a machine, whatever protocol they speak. Texts are QEMU's. */
export class MachineControl {
  readonly machine: DebuggedMachine;
  /** What the user calls it. */
  name: string | null = null;
  /** What the command line calls the drives, by their files. */
  driveNames: ReadonlyMap<string, DriveNames> = new Map();
  charDevices: readonly CharDeviceInfo[] = [];
  /** Whether the program ends when the machine has stopped so. */
  endsWith: (cause: StopCause) => boolean = () => false;
  private readonly quit: () => void;
  readonly jobs = new Jobs();
  /** Why the machine stands; null while it runs or has not run yet. */
  lastStop: StopCause | null = null;
  /** The program is about to end. */
  ending = false;
  /** It was stopped to load a snapshot, which failed. */
  private restoring = false;
  private readonly powerDownObservers = new Set<() => void>();
  private readonly shutdownObservers = new Set<(reason: HostShutdown) => void>();

  /** @param quit ends the program */
  constructor(machine: DebuggedMachine, quit: () => void) {
    this.machine = machine;
    this.quit = quit;
    machine.observe({
      resumed: () => {
        this.lastStop = null;
        this.restoring = false;
      },
      stopped: (cause) => {
        this.lastStop = cause;
      },
      reset: () => {
        // As in QEMU, a machine that stands still is then as if it had never run.
        this.lastStop = null;
        this.restoring = false;
      },
    });
  }

  /** Tells of requests to power down from now on; the function returned ends that. */
  onPowerDown(observer: () => void): () => void {
    this.powerDownObservers.add(observer);
    return () => this.powerDownObservers.delete(observer);
  }

  /** Tells from now on that somebody outside ends the machine; the function returned ends that. */
  onShutdown(observer: (reason: HostShutdown) => void): () => void {
    this.shutdownObservers.add(observer);
    return () => this.shutdownObservers.delete(observer);
  }

  /** Ends the program; everybody is told before. */
  end(reason: HostShutdown): void {
    this.ending = true;
    this.announceShutdown(reason);
    this.quit();
  }

  private announceShutdown(reason: HostShutdown): void {
    for (const observer of this.shutdownObservers) observer(reason);
  }

  /** Keys, motion, characters. */
  async send(requests: readonly HostRequest[]): Promise<void> {
    if (!(await this.machine.call('input', { requests }))) throw new CommandError('a replay takes no input');
  }

  async reset(): Promise<void> {
    const answer = await this.machine.call('reset', {});
    if (answer === 'refused') throw new CommandError('a replay is reset where its log says');
    if (answer === 'taken') return;
    const cause = 'host-qmp-system-reset';
    if (this.endsWith({ kind: 'shutdown', cause })) this.end(cause);
    else this.announceShutdown(cause);
  }

  async powerDown(): Promise<void> {
    if (!(await this.machine.call('powerButton', {}))) throw new CommandError('a replay takes no input');
    for (const observer of this.powerDownObservers) observer();
  }

  /** @param name null: made from the date, as QEMU does */
  async saveSnapshot(name: string | null): Promise<void> {
    await this.machine.call('saveSnapshot', { name: name ?? `vm-${dateDigits(new Date())}` });
  }

  async deleteSnapshot(name: string): Promise<void> {
    await this.machine.call('deleteSnapshot', { name });
  }

  async drives(): Promise<NamedDrive[]> {
    return nameDrives(await this.machine.call('drives', {}), this.driveNames);
  }

  /** Stands still meanwhile; runs on if it ran and the snapshot was loaded. */
  async loadSnapshot(name: string): Promise<void> {
    const { running } = await this.status();
    await this.stop();
    this.restoring ||= running;
    await this.machine.call('loadSnapshot', { name });
    if (running) await this.cont();
  }

  async goLive(): Promise<void> {
    await this.stop();
    await this.machine.call('goLive', {});
    this.lastStop = { kind: 'paused' };
  }

  status(): Promise<MachineStatus> {
    return this.machine.call('status', {});
  }

  /** QEMU's name of the state that the machine is in. */
  async runState(): Promise<string> {
    if ((await this.status()).running) return 'running';
    switch (this.lastStop?.kind) {
      case undefined:
        return 'prelaunch';
      case 'debug':
      case 'watchpoint':
      case 'log-begin':
        return 'debug';
      case 'shutdown':
        return 'shutdown';
      case 'failed':
        return 'internal-error';
      default:
        return this.restoring ? 'restore-vm' : 'paused';
    }
  }

  /** Replaces all breaks at instruction counts. Only in a replay, and not behind where it stands. */
  async replayBreak(icounts: readonly number[]): Promise<void> {
    const { mode, position } = await this.status();
    if (mode !== 'play') throw new CommandError('setting the breakpoint is allowed only in play mode');
    if (icounts.some((icount) => icount < position.icount)) throw new CommandError('cannot set breakpoint at the instruction in the past');
    await this.machine.call('icountBreaks', { icounts });
  }

  async replayDeleteBreak(): Promise<void> {
    if ((await this.status()).mode !== 'play') throw new CommandError('replay breakpoints are allowed only in play mode');
    await this.machine.call('icountBreaks', { icounts: [] });
  }

  /** Begins to go to an instruction count, which may be behind; the machine stops there. */
  async replaySeek(icount: number): Promise<void> {
    if ((await this.status()).mode !== 'play') throw new CommandError('replay must be enabled to seek');
    if (icount < 0) throw new CommandError('cannot seek to the specified instruction count');
    await this.stop();
    await this.move({ kind: 'seek', icount });
  }

  /** Returns when the machine stands still. */
  async stop(): Promise<void> {
    if (!(await this.status()).running) return;
    const stopped = nextStop(this.machine);
    await this.machine.call('pause', {});
    await stopped;
  }

  async cont(): Promise<void> {
    const { running, mode } = await this.status();
    if (running) return;
    const over = this.lastStop?.kind === 'shutdown' || this.lastStop?.kind === 'failed';
    if (over && mode !== 'play') throw new ReportedError('Resetting the Virtual Machine is required');
    await this.move({ kind: 'continue' });
  }

  async move(motion: Motion): Promise<void> {
    const refusal = await this.machine.call('move', { motion });
    if (refusal !== null) throw new CommandError(REFUSALS[refusal]);
  }
}

/** 20260131120000, in the time zone of the host. */
function dateDigits(d: Date): string {
  const two = (n: number): string => String(n).padStart(2, '0');
  return [d.getFullYear(), d.getMonth() + 1, d.getDate(), d.getHours(), d.getMinutes(), d.getSeconds()].map(two).join('');
}
