import { TlbState } from '../../jit/x86/tlb-state.js';
import { PageTable } from '../../replay/checkpoints/page-table.js';
import type { CheckpointStore, StoredCheckpoint } from '../../replay/checkpoints/store.js';
import { describeFields, restoreState } from '../core/save.js';
import { MEMORY_SPACE } from '../machine/capture-checkpoint.js';
import type { PcMachine } from '../machine/pc.js';
import { saveMachine } from '../machine/saved-machine.js';
import type { Timeline } from '../machine/timeline.js';
import type { Difference } from './segment.js';

const PAGE = 4096;
/** Differences are named up to this number. */
const MOST = 32;
/** Bytes of a page that are shown. */
const SHOWN = 16;
/** Not the machine's: the place in the log is compared by getting there. */
const NOT_COMPARED = 'session';

/**
 * Compares the machine of a timeline with a checkpoint: all parts, and the pages that may differ. Parts that differ are put into the recorded state to read it:
 * the machine is of no use then.
 */
export function compareWithCheckpoint(timeline: Timeline, checkpoint: StoredCheckpoint): Difference[] {
  const store = timeline.store!;
  return [...partDifferences(timeline, store, checkpoint), ...pageDifferences(timeline, store, checkpoint)].slice(0, MOST);
}

function partDifferences(timeline: Timeline, store: CheckpointStore, checkpoint: StoredCheckpoint): Difference[] {
  const { machine, session } = timeline;
  const wrong: string[] = [];
  for (const [name, bytes] of saveMachine(machine, session).parts) {
    const id = checkpoint.items[name];
    if (name !== NOT_COMPARED && (id === undefined || store.hash(id) !== store.hashOf(bytes))) wrong.push(name);
  }
  return wrong.flatMap((name) =>
    fieldDifferences(machine, name, checkpoint.items[name] === undefined ? null : store.content(checkpoint.items[name])),
  );
}

function fieldDifferences(machine: PcMachine, name: string, recorded: Uint8Array | null): Difference[] {
  const part = name === 'tlb' ? TlbState.of(machine.cpu) : machine.parts[name];
  if (part === undefined || recorded === null)
    return [{ where: name, what: 'state', recorded: recorded === null ? 'none' : 'another', found: 'its own' }];
  const found = describeFields(part);
  try {
    restoreState(part, recorded);
  } catch {
    return [{ where: name, what: 'state', recorded: 'no state of this part', found: 'its own' }];
  }
  const before = describeFields(part);
  const fields = Object.keys(found).filter((field) => found[field] !== before[field]);
  return fields.map((field) => ({ where: name, what: field, recorded: before[field]!, found: found[field]! }));
}

function pageDifferences(timeline: Timeline, store: CheckpointStore, checkpoint: StoredCheckpoint): Difference[] {
  const { u8 } = timeline.machine.memory;
  const table = checkpoint.tables[MEMORY_SPACE] ?? PageTable.EMPTY;
  const differences: Difference[] = [];
  for (const page of timeline.pagesThatMayDiffer(checkpoint)) {
    const found = u8.subarray(page * PAGE, (page + 1) * PAGE);
    const id = table.get(page);
    const same = id === 0 ? isZero(found) : store.hash(id) === store.hashOf(found);
    if (!same) differences.push(pageDifference(timeline.machine, page, id === 0 ? ZEROS : store.content(id), found));
  }
  for (const [name, { clusters }] of Object.entries(timeline.machine.overlays)) {
    const disk = checkpoint.tables[name] ?? PageTable.EMPTY;
    const numbers = new Set(clusters.numbers());
    disk.differences(PageTable.EMPTY, (number) => numbers.add(number));
    for (const number of numbers) {
      const found = clusters.get(number);
      const id = disk.get(number);
      if (found === undefined ? id !== 0 : id === 0 || store.hash(id) !== store.hashOf(found))
        differences.push({
          where: name,
          what: `chunk ${number}`,
          recorded: id === 0 ? 'not written' : store.hash(id),
          found: found === undefined ? 'not written' : store.hashOf(found),
        });
    }
  }
  return differences;
}

/** Where two pages begin to differ, and their bytes there. */
export function pageDifference(machine: PcMachine, page: number, recorded: Uint8Array, found: Uint8Array): Difference {
  let at = 0;
  while (at < PAGE - 1 && recorded[at] === found[at]) at++;
  const paddr = machine.memory.readPage.indexOf(page);
  const where = paddr < 0 ? `page ${page}` : `page ${page} (physical 0x${(paddr * PAGE).toString(16)})`;
  const show = (bytes: Uint8Array): string => Buffer.from(bytes.subarray(at, at + SHOWN)).toString('hex');
  return { where, what: `from byte 0x${at.toString(16)} on`, recorded: show(recorded), found: show(found) };
}

const ZEROS = new Uint8Array(PAGE);

function isZero(bytes: Uint8Array): boolean {
  return Buffer.compare(bytes, ZEROS) === 0;
}
