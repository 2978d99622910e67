import { constants, setPriority } from 'node:os';
import { workerData } from 'node:worker_threads';
import { KnownPages } from '../../replay/checkpoints/known-pages.js';
import { StoreWriter } from '../../replay/checkpoints/store-writer.js';
import { UserError } from '../core/errors.js';
import { type CheckpointMessage, type CheckpointReply, type CheckpointThreadStart, DONE, UNWANTED } from './checkpoint-thread.js';
import { footprintOf } from './footprint-collector.js';

/** Entry point of the thread that writes LOG.checkpoints. After a failure it only counts. */
const start = workerData as CheckpointThreadStart;
const progress = new Int32Array(start.progress);
let writer: StoreWriter | null = null;
let made = 0;
let bytes = 0;
let failure: string | null = null;

// The machine and V8's optimiser come first: what is to be written can wait, but on a busy host not for ever, as with the lowest priority. Only on Linux is this about one thread.
if (process.platform === 'linux') setPriority(constants.priority.PRIORITY_BELOW_NORMAL);

function attempt(action: () => void): void {
  if (failure !== null) return;
  try {
    if (Atomics.load(progress, UNWANTED) !== 0) throw new UserError('disk-full', `${start.path}: removed, since the log needs its room`);
    action();
  } catch (e) {
    failure = start.extend ? `${(e as Error).message}; the checkpoints made before stay` : (e as Error).message;
    giveUp(e instanceof UserError && e.code === 'disk-full');
    start.port.postMessage({ failed: failure } satisfies CheckpointReply);
  }
}

/** A new store on a full disk goes: checkpoints can be made again, and the log, which cannot, grows on the same disk. */
function giveUp(diskFull: boolean): void {
  try {
    if (!diskFull || start.extend) {
      writer?.trim();
      return;
    }
    writer?.remove();
    made = bytes = 0;
  } catch {
    // What is left of it is read up to the last whole record.
  }
}

attempt(() => {
  const known = new KnownPages(start.inputs);
  const { path, description, log } = start;
  writer = start.extend ? StoreWriter.extend(path, description.identity, known, log) : StoreWriter.create(path, description, known, log);
  void writer.learnUnpacked(known);
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
    attempt(() => {});
    writer?.close();
    start.port.postMessage({ made, bytes, failure } satisfies CheckpointReply);
    start.port.close();
  }
  Atomics.add(progress, DONE, 1);
  Atomics.notify(progress, DONE);
});
