import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { LogEventSource } from '../../replay/log/event-source.js';
import { type Replay, replayOf } from './machine.js';
import { backedRam, type Firmware, type Guest, machineArguments } from './qemu.js';
import { Qmp } from './qmp.js';

const LOW_BYTES = 1 << 20;

export interface MemoryResult {
  /** Instruction counts at which all of memory was compared. */
  readonly points: readonly number[];
  /** Null: none. */
  readonly difference: string | null;
}

/** Instruction counts, evenly spread up to `last`, at which the log has no event: there a machine stands in one state only. */
function quietPoints(log: string, last: number, count: number): number[] {
  const source = new LogEventSource(log);
  const busy = new Set<number>();
  for (; source.current.kind !== 'cut' && source.icount <= last; source.advance()) busy.add(source.icount);
  source.close();
  const points = new Set<number>();
  for (let k = 1; k <= count; k++) {
    let point = Math.floor((last * k) / count);
    while (point > 0 && busy.has(point)) point--;
    if (point > 0) points.add(point);
  }
  return [...points].sort((a, b) => a - b);
}

/**
 * Replays QEMU's log on both sides and compares all RAM, also where the board hides it, and the first MiB as the processor's bus shows it,
 * at `count` instruction counts up to `last`. Stops at the first difference.
 */
export async function compareMemory(
  dir: string,
  guest: Guest,
  firmware: Firmware,
  log: string,
  last: number,
  count: number,
): Promise<MemoryResult> {
  const ram = join(dir, 'ram');
  rmSync(ram, { force: true });
  const args = [...machineArguments(guest), ...backedRam(guest, ram), '-icount', `shift=${guest.shift},rr=replay,rrfile=${log}`];
  const qemu = spawn('qemu-system-i386', [...args, '-S', '-qmp', 'stdio'], { stdio: ['pipe', 'pipe', 'ignore'] });
  const ours = replayOf(guest, firmware, log);
  const points = quietPoints(log, last, count);
  try {
    const qmp = new Qmp(qemu);
    await qmp.start();
    for (const point of points) {
      await qmp.execute('replay-break', { icount: point });
      await qmp.execute('cont');
      await qmp.waitFor('STOP');
      const low = join(dir, 'low');
      await qmp.execute('pmemsave', { val: 0, size: LOW_BYTES, filename: low });
      const difference = compareAt(ours, point, readFileSync(ram), readFileSync(low));
      if (difference !== null) return { points, difference };
    }
    return { points, difference: null };
  } finally {
    qemu.kill('SIGKILL');
    ours.close();
  }
}

function compareAt({ session, machine }: Replay, point: number, ram: Buffer, low: Buffer): string | null {
  session.run(point);
  if (machine.engine.icount !== point) return `ours stands at instruction ${machine.engine.icount} instead of ${point}`;
  // RAM is the first memory of the board that is allocated.
  const hidden = firstDifference(machine.memory.u8.subarray(0, ram.length), ram);
  if (hidden !== null) return `after ${point} instructions, RAM at ${hidden}`;
  const seen = new Uint8Array(LOW_BYTES);
  machine.memory.readBytes(0, seen);
  const shown = firstDifference(seen, low);
  return shown === null ? null : `after ${point} instructions, physical address ${shown}`;
}

/** `address: ours / QEMU's` of the first byte that differs. */
function firstDifference(ours: Uint8Array, theirs: Buffer): string | null {
  if (theirs.equals(ours)) return null;
  let at = 0;
  while (ours[at] === theirs[at]) at++;
  const hex = (bytes: Uint8Array): string => bytes[at]!.toString(16).padStart(2, '0');
  return `${at.toString(16).padStart(8, '0')}: ${hex(ours)} / ${hex(theirs)}`;
}
