import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { digestOf, type MachineDigest } from '../core/digest.js';
import { type PageDigestBoard, PageDigests } from '../core/page-digests.js';
import type { StatefulPart } from '../core/state.js';

/** Pages after which another thread helps: beginning one takes as long. */
const ALONE = 4096;
/** What the other thread has not done by then is done here. */
const PATIENCE_MS = 2000;

/** Begins a thread that works at the board until nothing is left; see page-digest-worker.ts. */
export function beginHelper(board: PageDigestBoard): void {
  const worker = new Worker(new URL('./page-digest-worker.js', import.meta.url), { workerData: board });
  worker.on('error', () => {});
  worker.unref();
}

/**
 * What digestMachine gives, by two threads when there is much memory and a processor for each: hashing 256 MiB takes a second.
 * @param begin has somebody work at the board as well.
 */
export function digestInParallel(
  parts: Readonly<Record<string, StatefulPart>>,
  memory: Uint8Array<SharedArrayBuffer>,
  begin: (board: PageDigestBoard) => void = beginHelper,
  patienceMs = PATIENCE_MS,
): MachineDigest {
  const digests = PageDigests.of(memory);
  let alone = true;
  while (digests.digestNext())
    if (alone && digests.hashed >= ALONE) {
      alone = false;
      if (availableParallelism() > 1) begin(digests.board);
    }
  digests.finish(patienceMs);
  return digestOf(parts, digests.result());
}
