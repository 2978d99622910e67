import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type { StoreDescription } from '../../replay/checkpoints/format.js';
import type { CheckpointInput } from '../../replay/checkpoints/store-writer.js';

/** Checkpoints that may wait for the thread together; beyond this the next one comes later. */
const MAX_WAITING_BYTES = 128 << 20;
/** The thread is given up when it has done nothing for so long. */
const PATIENCE_MS = 60_000;
const DONE = 0;

/** What the thread that writes a store starts with. */
export interface CheckpointThreadStart {
  readonly path: string;
  /** Go on with a store that is there. */
  readonly extend: boolean;
  readonly description: StoreDescription;
  /** Inputs of the recording, where they are. */
  readonly inputs: readonly string[];
  readonly log: string;
  readonly port: MessagePort;
  /** Int32: how many messages it has done. */
  readonly progress: SharedArrayBuffer;
}

/** To the thread: a checkpoint; null: that was the last. */
export type CheckpointMessage = CheckpointInput | null;

/** From the thread: what cannot be done any more, or what it did. */
export type CheckpointReply = { readonly failed: string } | CheckpointSummary;

/** What became of a store. */
export interface CheckpointSummary {
  /** Checkpoints made. */
  readonly made: number;
  /** Length of the store. */
  readonly bytes: number;
  /** Why there are no more; null: all were made. */
  readonly failure: string | null;
}

/** Hashes, compresses and writes checkpoints beside a running machine. */
export class CheckpointThread {
  private readonly worker: Worker;
  private readonly port: MessagePort;
  private readonly done: Int32Array;
  /** Bytes of the messages sent, by number. */
  private readonly sizes: number[] = [];
  private sent = 0;
  private counted = 0;
  private waitingBytes = 0;
  private failure: string | null = null;

  constructor(start: Omit<CheckpointThreadStart, 'port' | 'progress'>) {
    const channel = new MessageChannel();
    const progress = new SharedArrayBuffer(4);
    this.port = channel.port1;
    this.done = new Int32Array(progress);
    const data: CheckpointThreadStart = { ...start, port: channel.port2, progress };
    this.worker = new Worker(new URL('./checkpoint-worker.js', import.meta.url), { workerData: data, transferList: [channel.port2] });
    this.worker.on('error', () => {});
    this.worker.unref();
    this.port.unref();
  }

  /** Whether a checkpoint may be added now. */
  get ready(): boolean {
    for (const done = Atomics.load(this.done, DONE); this.counted < done; this.counted++) this.waitingBytes -= this.sizes.shift()!;
    this.listen();
    return this.failure === null && this.waitingBytes < MAX_WAITING_BYTES;
  }

  add(input: CheckpointInput): void {
    const buffers = Object.values(input.changes).map(({ bytes }) => bytes.buffer as ArrayBuffer);
    const size = buffers.reduce((sum, b) => sum + b.byteLength, 0);
    this.sizes.push(size);
    this.waitingBytes += size;
    this.sent++;
    this.port.postMessage(input satisfies CheckpointMessage, buffers);
  }

  private listen(): CheckpointSummary | null {
    for (let m = receiveMessageOnPort(this.port); m !== undefined; m = receiveMessageOnPort(this.port)) {
      const reply = m.message as CheckpointReply;
      if ('made' in reply) return reply;
      this.failure ??= reply.failed;
    }
    return null;
  }

  /** Waits until all is written. */
  finish(): CheckpointSummary {
    this.port.postMessage(null satisfies CheckpointMessage);
    this.sent++;
    for (let done = Atomics.load(this.done, DONE); done < this.sent; done = Atomics.load(this.done, DONE))
      if (Atomics.wait(this.done, DONE, done, PATIENCE_MS) === 'timed-out') break;
    const summary = this.listen() ?? { made: 0, bytes: 0, failure: 'the thread that writes them does not answer' };
    this.port.close();
    return summary;
  }
}
