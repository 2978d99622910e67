import { watchWrites } from '../../jit/x86/mmu.js';
import type { Space } from '../../replay/checkpoints/format.js';
import type { CheckpointInput } from '../../replay/checkpoints/store-writer.js';
import type { Session } from '../../replay/session.js';
import { PAGE_SIZE } from '../memory/physical.js';
import type { PcMachine } from './pc.js';
import { saveMachine } from './saved-machine.js';

/** The space of guest memory in a store. */
export const MEMORY_SPACE = 'memory';
const ZEROS = Buffer.alloc(PAGE_SIZE);

/** What a store of this machine's checkpoints keeps page by page: memory, and what the guest wrote on each disk. */
export function checkpointSpaces(machine: PcMachine): Record<string, Space> {
  const spaces: Record<string, Space> = { [MEMORY_SPACE]: { unitBytes: PAGE_SIZE, count: machine.memory.dirtyPage.length } };
  for (const [name, { clusters }] of Object.entries(machine.overlays))
    spaces[name] = { unitBytes: clusters.chunkBytes, count: clusters.chunkCount };
  return spaces;
}

/**
 * Copies out what changed in a machine since the last time, and begins anew to watch what changes. Only between slices.
 * @param first nothing was copied yet: pages of zeros are left out
 */
export function captureCheckpoint(machine: PcMachine, session: Session, first: boolean): CheckpointInput {
  const { icount, parts } = saveMachine(machine, session);
  const changes: Record<string, { numbers: Uint32Array; bytes: Uint8Array }> = { [MEMORY_SPACE]: copyPages(machine, first) };
  for (const name of Object.keys(machine.overlays)) changes[name] = copyChunks(machine, name, first);
  watchWrites(machine.cpu);
  return { icount, timeNs: machine.time.nowNs(), position: session.save().position, items: Object.fromEntries(parts), changes };
}

function copyPages({ memory }: PcMachine, first: boolean): { numbers: Uint32Array; bytes: Uint8Array } {
  const numbers = writtenPages(memory.dirtyPage).filter((page) => !first || !isZero(memory.u8, page));
  // Not from Node's pool: the bytes are handed to another thread.
  const bytes = Buffer.allocUnsafeSlow(numbers.length * PAGE_SIZE);
  numbers.forEach((page, k) => {
    bytes.set(memory.u8.subarray(page * PAGE_SIZE, (page + 1) * PAGE_SIZE), k * PAGE_SIZE);
  });
  return { numbers, bytes };
}

/** Numbers of the pages that are marked. */
export function writtenPages(marks: Uint8Array): Uint32Array {
  const bytes = Buffer.from(marks.buffer, marks.byteOffset, marks.length);
  const found: number[] = [];
  for (let page = bytes.indexOf(1); page >= 0; page = bytes.indexOf(1, page + 1)) found.push(page);
  return Uint32Array.from(found);
}

function isZero(memory: Uint8Array, page: number): boolean {
  return ZEROS.compare(memory, page * PAGE_SIZE, (page + 1) * PAGE_SIZE) === 0;
}

function copyChunks(machine: PcMachine, name: string, first: boolean): { numbers: Uint32Array; bytes: Uint8Array } {
  const { clusters } = machine.overlays[name]!;
  const numbers = Uint32Array.from(first ? clusters.numbers() : [...clusters.changed].sort((a, b) => a - b));
  const bytes = Buffer.allocUnsafeSlow(numbers.length * clusters.chunkBytes);
  numbers.forEach((number, k) => {
    bytes.set(clusters.get(number)!, k * clusters.chunkBytes);
  });
  clusters.changed.clear();
  return { numbers, bytes };
}
