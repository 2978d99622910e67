import type { MachineStatus, Motion, StopCause } from '../core/debug-target.js';
import type { DebuggedMachine } from '../debug/machine-thread.js';

/** A command could not be carried out; the sentence is what the user sees. */
export class CommandError extends Error {}

const REFUSALS = {
  running: 'the machine is running',
  'not-a-replay': 'replay must be enabled to seek',
  'at-the-beginning': 'cannot seek to the specified instruction count',
  'out-of-reach': 'cannot seek to the specified instruction count',
} as const;

/** What monitors do with a machine, whatever protocol they speak. Texts are QEMU's. */
export class MachineControl {
  readonly machine: DebuggedMachine;
  /** Why the machine stands; null while it runs or has not run yet. */
  lastStop: StopCause | null = null;

  constructor(machine: DebuggedMachine) {
    this.machine = machine;
    machine.observe({
      resumed: () => {
        this.lastStop = null;
      },
      stopped: (cause) => {
        this.lastStop = cause;
      },
    });
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
        return 'paused';
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
    const stopped = this.nextStop();
    await this.machine.call('pause', {});
    await stopped;
  }

  async cont(): Promise<void> {
    if (!(await this.status()).running) await this.move({ kind: 'continue' });
  }

  async move(motion: Motion): Promise<void> {
    const refusal = await this.machine.call('move', { motion });
    if (refusal !== null) throw new CommandError(REFUSALS[refusal]);
  }

  /** The next time that the machine stops, or its end. */
  nextStop(): Promise<void> {
    return new Promise((resolve) => {
      const forget = this.machine.observe({
        stopped: () => {
          forget();
          resolve();
        },
      });
      void this.machine.ended.then(resolve, () => resolve());
    });
  }
}
