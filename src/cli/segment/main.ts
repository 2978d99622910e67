#!/usr/bin/env -S node --v8-pool-size=0 --concurrent-recompilation-queue-length=8192 --no-lazy-feedback-allocation --allow-natives-syntax --no-turbo-escape
import { readSync } from 'node:fs';
import { EXIT_DIVERGENCE, EXIT_USER_ERROR, UserError } from '../../core/errors.js';
import { MAX_JOB_BYTES, runSegmentJob } from '../../verify/segment-job.js';

const HELP = `palindrome-segment < JOB: runs one segment of a recording, and compares the machine at its end with what was recorded

JOB is a line of "palindrome verify LOG --jobs". The outcome is printed as one line of JSON.
Exit code 0: as recorded; 3: it differs; 2: the job, or a file that it names, cannot be used.
`;

/** What is on stdin, but not much more than a job may have. */
function stdinText(): string {
  const bytes = Buffer.alloc(MAX_JOB_BYTES + 1);
  let length = 0;
  for (let n = -1; n !== 0; length += n) n = readSync(0, bytes, length, bytes.length - length, null);
  return bytes.toString('utf8', 0, length);
}

/** `palindrome-segment`: one segment, in one process, with nothing but a job on stdin. */
function main(): void {
  if (process.argv.length > 2) {
    const help = process.argv[2] === '--help' || process.argv[2] === '-h';
    process[help ? 'stdout' : 'stderr'].write(help ? HELP : 'palindrome-segment: the job comes on stdin; --help says more\n');
    process.exitCode = help ? 0 : EXIT_USER_ERROR;
    return;
  }
  try {
    const { outcome, asRecorded } = runSegmentJob(stdinText());
    if (!asRecorded) process.exitCode = EXIT_DIVERGENCE;
    process.stdout.write(`${JSON.stringify(outcome)}\n`);
  } catch (e) {
    if (!(e instanceof UserError)) throw e;
    process.stderr.write(`palindrome-segment: ${e.message}\n`);
    process.exitCode = EXIT_USER_ERROR;
  }
}

main();
