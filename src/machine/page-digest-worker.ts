import { workerData } from 'node:worker_threads';
import { type PageDigestBoard, PageDigests } from '../core/page-digests.js';

/** Entry point of a thread that helps to digest a memory; see digestInParallel. */
const digests = new PageDigests(workerData as PageDigestBoard);
while (digests.digestNext());
