import type { Readable } from 'node:stream';

/** The processor before one instruction: the values of `TRACE_FIELDS`, in their order. */
export type TraceRecord = Uint32Array;

/** A number in QEMU's dump of the processor (`-d cpu`): the line behind the one of the trace, the column, and how many hexadecimal digits. */
export interface TraceField {
  readonly name: string;
  readonly line: number;
  readonly column: number;
  readonly digits: number;
  /** Bits of it that are compared. */
  readonly mask: number;
}

/** QEMU shows the limit's upper bits among the attributes; the limit is compared by itself. */
const ATTRIBUTES = 0xf0ff00;

const field = (name: string, line: number, column: number, digits = 8, mask = 0xffffffff): TraceField => ({
  ...{ name, line, column, digits },
  mask,
});
const four = (names: string, line: number): TraceField[] => names.split(' ').map((name, k) => field(name, line, 4 + 13 * k));

/** General registers as QEMU shows them, EIP, EFLAGS and CPL, segments, descriptor tables, control registers. */
export const TRACE_FIELDS: readonly TraceField[] = [
  ...four('eax ebx ecx edx', 0),
  ...four('esi edi ebp esp', 1),
  ...four('eip eflags', 2),
  field('cpl', 2, 40, 1),
  ...['es', 'cs', 'ss', 'ds', 'fs', 'gs'].flatMap((name, k) => [
    field(`${name} selector`, 3 + k, 4, 4),
    field(`${name} base`, 3 + k, 9),
    field(`${name} limit`, 3 + k, 18),
    field(`${name} attributes`, 3 + k, 27, 8, ATTRIBUTES),
  ]),
  ...['gdt', 'idt'].flatMap((name, k) => [field(`${name} base`, 11 + k, 9), field(`${name} limit`, 11 + k, 18)]),
  ...four('cr0 cr2 cr3 cr4', 13),
];

const LINE_FEED = 10;
const MARK = 'Trace 0: ';
const NO_DIGIT = 0x80;
/** What a character is worth as a hexadecimal digit. */
const DIGIT = new Uint8Array(256).fill(NO_DIGIT);
for (const [value, digit] of [...'0123456789abcdef'].entries())
  for (const c of [digit, digit.toUpperCase()]) DIGIT[c.charCodeAt(0)] = value;

/** Splits QEMU's trace (`-d cpu,exec -singlestep`) into records: what each piece of the stream completes. */
export async function* readTrace(stream: Readable): AsyncGenerator<TraceRecord[]> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of stream) {
    const text = rest.length === 0 ? (chunk as Buffer) : Buffer.concat([rest, chunk as Buffer]);
    const records: TraceRecord[] = [];
    let begin = text.indexOf(MARK);
    for (let end = begin; begin >= 0; begin = end) {
      end = text.indexOf(MARK, begin + MARK.length);
      if (end < 0) break;
      const record = parse(text, begin, end);
      if (record !== null) records.push(record);
    }
    rest = begin < 0 ? text : text.subarray(begin);
    yield records;
  }
}

/** The record between two marks; null for a trace without a dump. @throws Error when a number is not where it is expected: no dump of this QEMU */
function parse(text: Buffer, begin: number, end: number): TraceRecord | null {
  const record = new Uint32Array(TRACE_FIELDS.length);
  let [line, at] = [-1, begin];
  for (let k = 0; k < TRACE_FIELDS.length; k++) {
    const { line: wanted, column, digits, mask } = TRACE_FIELDS[k]!;
    while (line < wanted) {
      while (at < end && text[at] !== LINE_FEED) at++;
      if (at++ >= end) return null;
      line++;
    }
    let [value, seen] = [0, 0];
    for (let d = at + column; d < at + column + digits; d++) {
      const digit = d < end ? DIGIT[text[d]!]! : NO_DIGIT;
      value = (value << 4) | digit;
      seen |= digit;
    }
    if (seen >= NO_DIGIT)
      throw new Error(
        `QEMU's dump has no number where ${TRACE_FIELDS[k]!.name} is expected:\n${text.subarray(begin, end).toString('latin1')}`,
      );
    record[k] = value & mask;
  }
  return record;
}
