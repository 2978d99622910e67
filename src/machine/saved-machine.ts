import { Buffer } from 'node:buffer';
import { TlbState } from '../../jit/x86/tlb-state.js';
import { NO_PARTS } from '../../replay/checkpoints/no-parts.js';
import type { Session } from '../../replay/session.js';
import { SessionState } from '../../replay/session-state.js';
import { UserError } from '../core/errors.js';
import { restoreState, saveState } from '../core/save.js';
import type { StatefulPart, StateSchema } from '../core/state.js';
import { PAGE_SIZE } from '../memory/physical.js';
import type { PcMachine } from './pc.js';

/** A machine at a moment between slices, without its memory and what its guest wrote on disks: see SavedAreas. */
export interface SavedMachine {
  readonly icount: number;
  /** Events of its log up to then. With `icount` it names the moment: ReplaySession.run(icount, events) stops there. */
  readonly events: number;
  /** Saved parts by name; `session`, `board` and `tlb` (TlbState) besides those of the machine. */
  readonly parts: ReadonlyMap<string, Uint8Array>;
}

/** What of it restoring needs. */
export type SavedParts = Pick<SavedMachine, 'parts'>;

/** The large areas of a saved machine. */
export interface SavedAreas {
  /** Pages of memory that may differ from what the machine has there: backing page number and 4096 bytes, or null for zeros. Others stay as they are. */
  pages(): Iterable<readonly [number, Uint8Array | null]>;
  /**
   * Everything the guest had written to a disk, ascending: chunk number and bytes (SparseBytes.chunkBytes), or null for what the machine has there now.
   * @param part name of the disk's part
   */
  chunks(part: string): Iterable<readonly [number, Uint8Array | null]>;
}

/** What the board itself knows. */
class BoardState implements StatefulPart {
  readonly schema: StateSchema = { name: 'board', version: 1, fields: { exitValue: 'int' } };
  exitValue: number | null = null;
}

/** Saves a machine. Only between slices: in `onProgress` of its session, or when `run` has returned. */
export function saveMachine(machine: PcMachine, session: Session): SavedMachine {
  const state = session.save();
  const board = new BoardState();
  board.exitValue = machine.exitValue;
  const parts = new Map([
    ['session', saveState(state)],
    ['board', saveState(board)],
    ['tlb', saveState(TlbState.of(machine.cpu))],
  ]);
  for (const [name, part] of Object.entries(machine.parts)) if (machine.overlays[name] === undefined) parts.set(name, saveState(part));
  return { icount: state.icount, events: state.logEvents, parts };
}

/**
 * Puts a machine of the same configuration, newly built or not, into a saved state; its session goes on from there. What was translated of pages that do not change stays.
 * Throws UserError 'snapshot-corrupt' (the state is none of this machine); the machine is of no use then.
 */
export function restoreMachine(machine: PcMachine, session: Session, saved: SavedParts, areas: SavedAreas): void {
  const state = new SessionState();
  const board = new BoardState();
  const tlb = new TlbState(machine.memory.codePage.length);
  restorePart('session', state, saved);
  restorePart('board', board, saved);
  restorePart('tlb', tlb, saved);
  // Parts may look at the clock.
  machine.engine.setIcount(state.icount);
  restoreMemory(machine, areas);
  for (const [name, part] of Object.entries(machine.parts)) {
    if (machine.overlays[name] === undefined) restorePart(name, part, saved);
    else restoreOverlay(machine, name, areas);
  }
  const foreign = [...saved.parts.keys()].find((name) => !NO_PARTS.includes(name) && machine.parts[name] === undefined);
  if (foreign !== undefined) throw new UserError('snapshot-corrupt', `saved state: this machine has no ${foreign}`);
  // Behind the parts: those that map memory flush.
  tlb.putInto(machine.cpu);
  machine.exitValue = board.exitValue;
  session.restore(state);
}

function restorePart(name: string, part: StatefulPart, saved: SavedParts): void {
  const bytes = saved.parts.get(name);
  if (bytes === undefined) throw new UserError('snapshot-corrupt', `saved state: there is nothing of ${name}`);
  try {
    restoreState(part, bytes);
  } catch (e) {
    throw new UserError('snapshot-corrupt', `saved state of ${name}: ${(e as Error).message}`);
  }
}

function restoreMemory({ memory }: PcMachine, areas: SavedAreas): void {
  for (const [page, bytes] of areas.pages()) {
    if (!(page >= 0 && page < memory.codePage.length) || (bytes !== null && bytes.length !== PAGE_SIZE))
      throw new UserError('snapshot-corrupt', `saved state: ${bytes?.length} bytes for page ${page} of ${memory.codePage.length}`);
    const target = memory.u8.subarray(page * PAGE_SIZE, (page + 1) * PAGE_SIZE);
    const source = bytes ?? ZEROS;
    // Translations stay where the code is the same, and the host gives no memory to zeros that nobody wrote; elsewhere a look costs as much as to write.
    if ((bytes === null || memory.codePage[page] !== 0) && Buffer.compare(target, source) === 0) continue;
    memory.noteWrite(page);
    target.set(source);
  }
}

const ZEROS = new Uint8Array(PAGE_SIZE);

function restoreOverlay(machine: PcMachine, name: string, areas: SavedAreas): void {
  const { clusters } = machine.overlays[name]!;
  const kept = new Map(clusters.numbers().map((number) => [number, clusters.get(number)!]));
  clusters.clear();
  for (const [number, bytes] of areas.chunks(name)) {
    const chunk = bytes?.slice() ?? kept.get(number);
    if (chunk?.length !== clusters.chunkBytes || !(number >= 0 && number < clusters.chunkCount))
      throw new UserError(
        'snapshot-corrupt',
        `saved state of ${name}: ${chunk?.length} bytes for chunk ${number} of ${clusters.chunkCount}`,
      );
    clusters.set(number, chunk);
  }
}
