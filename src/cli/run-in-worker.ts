import { MessageChannel, type Worker } from 'node:worker_threads';
import type { HostRequest } from '../../replay/host.js';
import { UserError, type UserErrorCode } from '../core/errors.js';
import { ControlBlock, type Job, type JobResult, type WorkerMessage } from '../machine/job.js';
import { machineWorker } from './warm-worker.js';

/** The thread that runs a machine: its module, and what it is to know besides the job. */
export interface WorkerKind {
  readonly module: URL;
  readonly data: object;
}

/** A machine running in its worker. */
export class RunningJob<Result extends JobResult = JobResult> {
  readonly result: Promise<Result>;
  private readonly control: ControlBlock;
  private readonly port;
  private readonly worker: Worker;

  constructor(job: Omit<Job, 'control'>, kind?: WorkerKind) {
    const buffer = new SharedArrayBuffer(ControlBlock.BYTES);
    this.control = new ControlBlock(buffer);
    const channel = new MessageChannel();
    this.port = channel.port1;
    this.worker = machineWorker(kind?.module);
    this.worker.postMessage({ ...kind?.data, job: { ...job, control: buffer }, requests: channel.port2 }, [
      channel.port2,
      ...(job.config.channels?.values() ?? []),
    ]);
    this.result = this.wait(this.worker);
  }

  /** Passes a request from outside to the machine. */
  send(request: HostRequest): void {
    this.port.postMessage(request);
    this.control.notify();
  }

  get progress(): { icount: number; events: number; total: number } {
    return this.control.progress;
  }

  private wait(worker: Worker): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      worker.once('message', (message: WorkerMessage) => {
        if (message.kind === 'done') resolve(message.result as Result);
        else if (message.kind === 'user-error') reject(new UserError(message.code as UserErrorCode, message.message));
        else reject(Object.assign(new Error(message.message), { stack: message.stack }));
      });
      worker.once('error', reject);
      worker.once('exit', (code) => reject(new Error(`the machine's worker ended early (exit code ${code})`)));
    }).finally(() => {
      this.port.close();
    });
  }
}
