#!/usr/bin/env -S GLIBC_TUNABLES=glibc.malloc.hugetlb=1 node --v8-pool-size=0
import { warmUp } from './warm-worker.js';

/** Commands that run a machine by a RunningJob. */
const RUNS = new Set(['record', 'replay', 'run']);

if (RUNS.has(process.argv[2] ?? '')) warmUp();
await import('./command-line.js');
