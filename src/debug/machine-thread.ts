import { MessageChannel, Worker } from 'node:worker_threads';
import type { MachineStatus, StopCause } from '../core/debug-target.js';
import { UserError, type UserErrorCode } from '../core/errors.js';
import { ControlBlock, type Job } from '../machine/job.js';
import { setEngineFlags } from '../machine/v8-flags.js';
import type { DebugAnswer, DebugCall, DebugCalls, DebugEvent } from './messages.js';
import { SearchPool } from './search-pool.js';

const MACHINE_ENDED = 'the machine has ended';

/** Who wants to know when the machine stops and goes on. */
export interface MachineObserver {
  resumed?(): void;
  reset?(byGuest: boolean): void;
  stopped?(cause: StopCause, status: MachineStatus): void;
}

/** What debuggers and monitors talk to. */
export interface DebuggedMachine {
  /** Settles when the machine is no more. */
  readonly ended: Promise<void>;
  call<C extends DebugCall>(call: C, ask: DebugCalls[C]['ask']): Promise<DebugCalls[C]['answer']>;
  /** Tells the observer from now on; the function returned ends that. */
  observe(observer: MachineObserver): () => void;
}

/** The next time that a machine stops, or its end. */
export function nextStop(machine: DebuggedMachine): Promise<void> {
  return new Promise((resolve) => {
    const forget = machine.observe({
      stopped: () => {
        forget();
        resolve();
      },
    });
    void machine.ended.then(resolve, () => resolve());
  });
}

/** A machine in a thread of its own, seen from the thread that has the sockets. */
export class MachineThread implements DebuggedMachine {
  /** The machine is built and stands at its first instruction. */
  readonly ready: Promise<void>;
  /** Settles when the thread has ended; rejected with what ended it. */
  readonly ended: Promise<void>;
  private readonly control: ControlBlock;
  private readonly port;
  private readonly observers = new Set<MachineObserver>();
  private readonly waiting = new Map<number, { resolve(answer: unknown): void; reject(error: Error): void }>();
  private isReady: () => void = () => {};
  private readonly searches: SearchPool;
  private nextId = 1;
  private closed = false;

  constructor(job: Omit<Job, 'control'>) {
    setEngineFlags();
    const { channels, ...config } = job.config;
    this.searches = new SearchPool({ ...job, config });
    const buffer = new SharedArrayBuffer(ControlBlock.BYTES);
    this.control = new ControlBlock(buffer);
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    const worker = new Worker(new URL('./worker.js', import.meta.url), {
      workerData: { job: { ...job, control: buffer }, requests: port2 },
      transferList: [port2, ...(channels?.values() ?? [])],
    });
    this.ready = new Promise((resolve) => {
      this.isReady = resolve;
    });
    this.ended = this.wait(worker);
    port1.on('message', (message: DebugAnswer | DebugEvent) => this.receive(message));
  }

  call<C extends DebugCall>(call: C, ask: DebugCalls[C]['ask']): Promise<DebugCalls[C]['answer']> {
    if (this.closed) return Promise.reject(new UserError('not-supported', MACHINE_ENDED));
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve: resolve as (answer: unknown) => void, reject });
      this.port.postMessage({ id, call, ...ask });
      this.control.notify();
    });
  }

  observe(observer: MachineObserver): () => void {
    this.observers.add(observer);
    return () => this.observers.delete(observer);
  }

  private receive(message: DebugAnswer | DebugEvent): void {
    if ('id' in message) {
      const { refused } = message;
      if (refused === undefined) this.waiting.get(message.id)?.resolve(message.answer);
      else this.waiting.get(message.id)?.reject(new UserError(refused.code as UserErrorCode, refused.message));
      this.waiting.delete(message.id);
      return;
    }
    if (message.event === 'ready') this.isReady();
    if (message.event === 'search') {
      const told = this.searches.search(message.request).then((outcome) => this.call('searched', { outcome }));
      // The machine has ended meanwhile.
      told.catch(() => {});
    }
    for (const observer of this.observers) {
      if (message.event === 'resumed') observer.resumed?.();
      if (message.event === 'reset') observer.reset?.(message.byGuest);
      if (message.event === 'stopped') observer.stopped?.(message.cause, message.status);
    }
  }

  private wait(worker: Worker): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      worker.once('message', (message: DebugEvent) => {
        if (message.event === 'user-error') reject(new UserError(message.code as UserErrorCode, message.message));
        else if (message.event === 'crash') reject(Object.assign(new Error(message.message), { stack: message.stack }));
      });
      worker.once('error', reject);
      worker.once('exit', () => resolve());
    }).finally(() => {
      this.closed = true;
      this.port.close();
      void this.searches.close();
      for (const { reject } of this.waiting.values()) reject(new UserError('not-supported', MACHINE_ENDED));
      this.waiting.clear();
    });
  }
}
