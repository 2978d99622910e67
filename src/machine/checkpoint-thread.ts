import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type { StoreDescription } from '../../replay/checkpoints/format.js';
import type { CheckpointMoment } from '../../replay/checkpoints/store-writer.js';
import type { CollectedFootprint } from './footprint-collector.js';

/** What is copied goes to the thread in shared memory of this length, which comes back when the thread has done with it: no garbage, no fresh pages of the host's. */
const CRATE_BYTES = 1 << 18;
/** With so many crates under way, what can wait does (10 MiB). */
const MAX_UNDER_WAY = 40;
/** The thread is given up when it has done nothing for so many seconds of ours: a process that is stopped for a while (Ctrl-Z) has not waited. */
const PATIENCE_SECONDS = 60;
/** Places in `progress`: how many messages the thread has done; not 0: the store is to be removed. */
export const DONE = 0;
export const UNWANTED = 1;
const SILENT = 'the thread that writes them does not answer';

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
  /** Int32s: see DONE and UNWANTED. */
  readonly progress: SharedArrayBuffer;
}

/** To the thread: some of what changed since the checkpoint before; the checkpoint that it is of; what was touched on the way to it; null: that was the last. */
export type CheckpointMessage = CheckpointUnits | CheckpointMoment | CollectedFootprint | null;

/** Pages or chunks of a space. */
interface CheckpointUnits {
  readonly space: string;
  readonly numbers: Uint32Array;
  /** One behind the other. */
  readonly bytes: SharedArrayBuffer;
}

interface Crate {
  readonly bytes: Uint8Array;
  readonly buffer: SharedArrayBuffer;
  used: number;
  space: string;
  numbers: number[];
}

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
  /** The crates of messages under way, in order; null: a message without one. */
  private readonly underWay: (Crate | null)[] = [];
  private fullCrates = 0;
  private readonly empty: Crate[] = [];
  private filling: Crate | null = null;
  private sent = 0;
  private counted = 0;
  /** Why nothing can be put any more; null: it can. */
  failure: string | null = null;
  private summary: CheckpointSummary | null = null;

  constructor(start: Omit<CheckpointThreadStart, 'port' | 'progress'>) {
    const channel = new MessageChannel();
    const progress = new SharedArrayBuffer(8);
    this.port = channel.port1;
    this.done = new Int32Array(progress);
    const data: CheckpointThreadStart = { ...start, port: channel.port2, progress };
    this.worker = new Worker(new URL('./checkpoint-worker.js', import.meta.url), { workerData: data, transferList: [channel.port2] });
    this.worker.on('error', () => {});
    this.worker.unref();
    this.port.unref();
  }

  /** Whether more may be given to it now. */
  get ready(): boolean {
    if (this.summary !== null) return false;
    this.collect();
    this.listen();
    return this.failure === null && this.fullCrates < MAX_UNDER_WAY;
  }

  /** Waits until it is ready; false: it is of no use any more. */
  awaitReady(): boolean {
    while (!this.ready) {
      if (this.failure !== null) return false;
      if (!this.awaitMore(this.counted)) this.failure = SILENT;
    }
    return true;
  }

  /** Waits until the thread has done more than so many messages; false: it does nothing. */
  private awaitMore(done: number): boolean {
    for (let second = 0; second < PATIENCE_SECONDS; second++) if (Atomics.wait(this.done, DONE, done, 1000) !== 'timed-out') return true;
    return false;
  }

  /** Takes back what it has done with. */
  private collect(): void {
    for (const done = Atomics.load(this.done, DONE); this.counted < done; this.counted++) {
      const crate = this.underWay.shift()!;
      if (crate === null) continue;
      this.fullCrates--;
      if (this.empty.length < MAX_UNDER_WAY) this.empty.push(crate);
    }
  }

  /** Copies a page or chunk that changed since the checkpoint before. Never waits. */
  put(space: string, number: number, bytes: Uint8Array): void {
    if (this.failure !== null) return;
    let crate = this.filling;
    if (crate === null || crate.space !== space || crate.used + bytes.length > CRATE_BYTES) {
      this.send();
      crate = this.emptyCrate(space);
      this.filling = crate;
    }
    crate.bytes.set(bytes, crate.used);
    crate.used += bytes.length;
    crate.numbers.push(number);
  }

  private emptyCrate(space: string): Crate {
    this.collect();
    const buffer = this.empty.length > 0 ? null : new SharedArrayBuffer(CRATE_BYTES);
    const crate = buffer === null ? this.empty.pop()! : { bytes: new Uint8Array(buffer), buffer, used: 0, space, numbers: [] };
    return Object.assign(crate, { used: 0, space, numbers: [] });
  }

  /** Hands on what was put. */
  private send(): void {
    const crate = this.filling;
    if (crate === null) return;
    this.filling = null;
    this.fullCrates++;
    const { space, numbers, buffer } = crate;
    this.post({ space, numbers: Uint32Array.from(numbers), bytes: buffer }, crate);
  }

  /** The checkpoint of which all units were put. */
  add(moment: CheckpointMoment): void {
    if (this.failure !== null) return;
    this.send();
    this.post(moment, null);
  }

  /** What was touched on the way to a checkpoint. */
  addFootprint(footprint: CollectedFootprint): void {
    if (this.failure === null) this.post(footprint, null);
  }

  private post(message: CheckpointMessage, crate: Crate | null): void {
    this.underWay.push(crate);
    this.sent++;
    this.port.postMessage(message);
  }

  private listen(): CheckpointSummary | null {
    for (let m = receiveMessageOnPort(this.port); m !== undefined; m = receiveMessageOnPort(this.port)) {
      const reply = m.message as CheckpointReply;
      if ('made' in reply) return reply;
      this.failure ??= reply.failed;
    }
    return null;
  }

  /** Has the store removed, at once; false: there was none any more. */
  giveUp(): boolean {
    const was = this.failure === null && this.summary === null;
    Atomics.store(this.done, UNWANTED, 1);
    this.finish();
    return was;
  }

  /** Waits until all is written. Nothing can be put afterwards. */
  finish(): CheckpointSummary {
    if (this.summary !== null) return this.summary;
    this.post(null, null);
    for (let done = Atomics.load(this.done, DONE); done < this.sent; done = Atomics.load(this.done, DONE)) if (!this.awaitMore(done)) break;
    const summary = this.listen() ?? { made: 0, bytes: 0, failure: SILENT };
    this.port.close();
    this.failure ??= summary.failure ?? 'finished';
    this.summary = summary;
    return summary;
  }
}
