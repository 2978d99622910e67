import { workerData } from 'node:worker_threads';
import { KnownPages } from '../../replay/checkpoints/known-pages.js';
import { StoreWriter } from '../../replay/checkpoints/store-writer.js';
import type { CheckpointMessage, CheckpointReply, CheckpointThreadStart } from './checkpoint-thread.js';
import { footprintOf } from './footprint-collector.js';

/** Entry point of the thread that writes LOG.checkpoints. After a failure it only counts. */
const start = workerData as CheckpointThreadStart;
const done = new Int32Array(start.progress);
let writer: StoreWriter | null = null;
let made = 0;
let bytes = 0;
let failure: string | null = null;

function attempt(action: () => void): void {
  if (failure !== null) return;
  try {
    action();
  } catch (e) {
    failure = (e as Error).message;
    start.port.postMessage({ failed: failure } satisfies CheckpointReply);
  }
}

attempt(() => {
  const known = new KnownPages(start.inputs);
  const { path, description, log } = start;
  writer = start.extend ? StoreWriter.extend(path, description.identity, known, log) : StoreWriter.create(path, description, known, log);
});

function accept(message: NonNullable<CheckpointMessage>): void {
  if ('numbers' in message) {
    writer!.addUnits(message.space, message.numbers, new Uint8Array(message.bytes));
    return;
  }
  if ('entries' in message) writer!.addFootprint(footprintOf(message));
  else if (writer!.add(message)) made++;
  bytes = writer!.bytes;
}

start.port.on('message', (message: CheckpointMessage) => {
  if (message !== null) attempt(() => accept(message));
  else {
    attempt(() => writer!.close());
    start.port.postMessage({ made, bytes, failure } satisfies CheckpointReply);
    start.port.close();
  }
  Atomics.add(done, 0, 1);
  Atomics.notify(done, 0);
});
