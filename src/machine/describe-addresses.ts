import { NOT_MEMORY, PAGE_SIZE, type PhysicalMemory } from '../memory/physical.js';
import type { PcMachine } from './pc.js';

/** A range of addresses and what answers there. */
interface Span {
  readonly first: number;
  readonly last: number;
  readonly text: string;
}

/** What the processor finds at its addresses now, as `info mtree` shows it: a line for each range, memory first, then ports. */
export function describeAddresses({ memory, ports }: PcMachine): string[] {
  const devices = memory.ioRegions.map(({ base, length, name }) => ({ first: base, last: base + length - 1, text: `${name} (device)` }));
  const spans = [...memorySpans(memory), ...devices].sort((a, b) => a.first - b.first || b.last - a.last);
  return [
    'address-space: memory',
    ...spans.map(line),
    '',
    'address-space: I/O',
    ...ports.spans().map(({ first, last, name }) => line({ first, last, text: name })),
  ];
}

function line({ first, last, text }: Span): string {
  const hex = (n: number): string => n.toString(16).padStart(16, '0');
  return `  ${hex(first)}-${hex(last)}: ${text}`;
}

/** Pages that are backed by memory, in runs. */
function memorySpans(memory: PhysicalMemory): Span[] {
  const { readPage, writePage } = memory;
  const spans: Span[] = [];
  for (let page = 0; page < readPage.length; ) {
    const backing = readPage[page]!;
    const start = page++;
    if (backing === NOT_MEMORY) continue;
    const writable = writePage[start] === backing;
    const area = memory.areaOf(backing);
    const goesOn = (): boolean =>
      readPage[page] === backing + (page - start) &&
      (writePage[page] === readPage[page]) === writable &&
      memory.areaOf(readPage[page]!) === area;
    while (page < readPage.length && goesOn()) page++;
    const offset = backing * PAGE_SIZE - (area?.offset ?? 0);
    const text = `${area?.name ?? 'memory'} @${offset.toString(16).padStart(8, '0')}${writable ? '' : ', read only'}`;
    spans.push({ first: start * PAGE_SIZE, last: page * PAGE_SIZE - 1, text });
  }
  return spans;
}
