// Oracle: QEMU run (7.2.22): two dumps of the processor as `-d cpu,exec` prints them
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { readTrace, TRACE_FIELDS, type TraceRecord } from '../tools/lockstep/qemu-trace.js';

const DUMP = `Trace 0: 0x7f8d58000100 [ffff0000/fffffff0/00000040/ff020201] 
EAX=0000beef EBX=00000000 ECX=00000000 EDX=00000663
ESI=00000000 EDI=00000000 EBP=00000000 ESP=00000000
EIP=0000fff0 EFL=00000002 [-------] CPL=0 II=0 A20=1 SMM=0 HLT=0
ES =0000 00000000 0000ffff 00009300
CS =f000 ffff0000 0000ffff 00009b00
SS =0000 00000000 0000ffff 00009300
DS =0000 00000000 0000ffff 00009300
FS =0000 00000000 0000ffff 00009300
GS =0000 00000000 0000ffff 00009300
LDT=0000 00000000 0000ffff 00008200
TR =0000 00000000 0000ffff 00008b00
GDT=     00000000 0000ffff
IDT=     00000000 0000ffff
CR0=60000010 CR2=00000000 CR3=00000000 CR4=00000000
`;
/** It ends the one before. */
const NEXT = 'Trace 0: ';

async function recordsOf(text: string, piece = 7): Promise<TraceRecord[]> {
  const pieces = Array.from({ length: Math.ceil(text.length / piece) }, (_, i) => Buffer.from(text.slice(piece * i, piece * (i + 1))));
  const records: TraceRecord[] = [];
  for await (const some of readTrace(Readable.from(pieces))) records.push(...some);
  return records;
}

describe("QEMU's trace", () => {
  it('is read whatever pieces it comes in', async () => {
    const records = await recordsOf(DUMP + DUMP.replace('beef', 'BEE0') + NEXT);
    const all = (name: string): number[] => records.map((record) => record[TRACE_FIELDS.findIndex((field) => field.name === name)]!);
    expect([all('eax'), all('edx'), all('cs selector'), all('cs base'), all('cr0')]).toEqual([
      [0xbeef, 0xbee0],
      [0x663, 0x663],
      [0xf000, 0xf000],
      [0xffff0000, 0xffff0000],
      [0x60000010, 0x60000010],
    ]);
  });

  it('is refused where a number is not in its column, or cut short', async () => {
    for (const [from, to, name] of [
      ['EAX=', 'EAX =', 'eax'],
      ['CS =f000', 'CS =f00 ', 'cs selector'],
      ['0000ffff\nIDT', '0000fff\nIDT', 'gdt limit'],
      ['CR4=00000000\n', 'CR4=0000', 'cr4'],
    ] as const)
      await expect(recordsOf(DUMP.replace(from, to) + NEXT)).rejects.toThrow(`has no number where ${name} is expected`);
  });
});
