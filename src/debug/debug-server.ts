import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { peekMemory, pokeMemory } from '../../jit/x86/debug-memory.js';
import { readRegisters, writeRegister } from '../../jit/x86/register-access.js';
import type { HostRequest } from '../../replay/host.js';
import type { MachineStatus, Motion, Refusal } from '../core/debug-target.js';
import { digestMachine } from '../core/digest.js';
import type { ControlBlock } from '../machine/job.js';
import { Debugger } from './debugger.js';
import type { Incarnator } from './incarnation.js';
import type { DebugEvent, DebugMessage } from './messages.js';

/** In the machine's thread: answers debuggers and monitors, and moves the machine as they say. */
export class DebugServer {
  private readonly port: MessagePort;
  private readonly control: ControlBlock;
  private readonly target: Debugger;
  /** How long nobody let the machine run. */
  stoodStillNs = 0;
  private seen = -1;
  private motion: Motion | null = null;
  private running = false;
  private pausing = false;
  private ended = false;
  /** For a live machine, oldest first. */
  private inputs: HostRequest[] = [];

  constructor(port: MessagePort, control: ControlBlock, incarnator: (server: DebugServer) => Incarnator) {
    this.port = port;
    this.control = control;
    this.target = new Debugger(incarnator(this), () => this.look());
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

  private standStill(generation: number): void {
    const from = process.hrtime.bigint();
    this.control.sleep(generation, Number.POSITIVE_INFINITY);
    this.stoodStillNs += Number(process.hrtime.bigint() - from);
  }

  private moveNow(motion: Motion): void {
    this.motion = null;
    this.running = true;
    this.post({ event: 'resumed' });
    const cause = this.target.move(motion);
    this.running = false;
    this.pausing = false;
    this.post({ event: 'stopped', cause, status: this.status() });
  }

  private status(): MachineStatus {
    return { running: this.running || this.motion !== null, ...this.target.status };
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
      this.port.postMessage({ id: message.id, answer: this.answer(message) });
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
      case 'watchpoints':
        target.setWatchpoints(m.watchpoints);
        return null;
      case 'icountBreaks':
        target.setIcountBreaks(m.icounts);
        return null;
      case 'move':
        return this.begin(m.motion);
      case 'pause':
        this.pausing = this.running || this.motion !== null;
        return null;
      case 'input':
        if (target.status.mode === 'play') return false;
        this.inputs.push(...m.requests);
        return true;
      case 'screen':
        return machine.screen();
      case 'digest':
        return digestMachine(machine.parts, machine.memory.u8).total;
      case 'quit':
        this.ended = this.pausing = true;
        return null;
    }
  }

  private begin(motion: Motion): Refusal | null {
    if (this.running || this.motion !== null) return 'running';
    const refusal = this.target.refusal(motion);
    if (refusal === null) this.motion = motion;
    return refusal;
  }

  private post(event: DebugEvent): void {
    this.port.postMessage(event);
  }
}
