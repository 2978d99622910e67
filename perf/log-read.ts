/**
 * Events per second of the log reader: `tsx perf/log-read.ts [MILLIONS]`. The log is synthetic, with the mix of a recorded Debian boot (QEMU 7.2, shift=3: 6.86 million
 * events in 20.6 MB): nearly all INSTRUCTION, EXCEPTION, INTERRUPT and checkpoints, 3 bytes an event. Three ways of reading it: stepping (what stat and a
 * replaying session's cursor do), stepping with clock values, and decoding every event into an object (what dump does).
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeEvent } from '../replay/log/events.js';
import { EventKind } from '../replay/log/kinds.js';
import { type LogCursor, openLog } from '../replay/log/reader.js';
import { createLog } from '../replay/log/writer.js';

const millions = Number(process.argv[2] ?? 7);
const dir = mkdtempSync(join(tmpdir(), 'palindrome-perf-'));
const path = join(dir, 'synthetic.rr');

/** A small repeatable generator (xorshift32). */
let seed = 0x2545f491;
function below(limit: number): number {
  seed ^= seed << 13;
  seed ^= seed >>> 17;
  seed ^= seed << 5;
  return (seed >>> 0) % limit;
}

function generate(): void {
  const log = createLog(path, '7.2');
  let icount = 0;
  let ns = 1_795_227_083_352_071_000n;
  while (log.events < millions * 1e6) {
    icount += 1 + below(3000);
    const dice = below(100);
    if (dice < 45) log.exception(icount);
    else if (dice < 62) {
      log.checkpoint(icount, 1);
      log.interrupt(icount);
    } else if (dice < 97) {
      log.checkpoint(icount, 1);
      log.checkpoint(icount, 4);
      log.checkpoint(icount, 1);
      log.interrupt(icount);
    } else if (dice < 99) {
      ns += 1000n;
      log.checkpoint(icount, 5);
      log.clock(icount, 0, ns);
      log.clock(icount, 0, ns);
    } else log.charWrite(icount, 1, 1);
  }
  log.finish(icount);
  log.close();
}

function measure(what: string, visit: (c: LogCursor) => void): void {
  let best = 0;
  for (let round = 0; round < 4; round++) {
    const cursor = openLog(path);
    const start = performance.now();
    while (cursor.next()) visit(cursor);
    const seconds = (performance.now() - start) / 1000;
    best = Math.max(best, (cursor.index + 1) / seconds);
    cursor.close();
  }
  console.log(`${what.padEnd(28)} ${(best / 1e6).toFixed(1)} million events/s`);
}

let sum = 0;
try {
  generate();
  console.log(`${millions} million events, ${(statSync(path).size / 1e6).toFixed(1)} MB`);
  measure('step', (c) => {
    sum += c.kind;
  });
  measure('step and read clocks', (c) => {
    if (c.kind === EventKind.CLOCK) sum += c.lo;
  });
  measure('decode into objects', (c) => {
    sum += decodeEvent(c).kind.length;
  });
} finally {
  rmSync(dir, { recursive: true });
}
if (!Number.isFinite(sum)) throw new Error('unreachable');
