import type { Readable } from 'node:stream';

/** The processor before one instruction, as QEMU's `-d cpu,exec -singlestep` prints it. Numbers are unsigned. */
export interface TraceRecord {
  /** EAX ECX EDX EBX ESP EBP ESI EDI. */
  readonly registers: readonly number[];
  readonly eip: number;
  readonly eflags: number;
  readonly cpl: number;
  /** Selector, base, limit and attributes of ES CS SS DS FS GS. */
  readonly segments: readonly (readonly [number, number, number, number])[];
  /** GDT and IDT base and limit. */
  readonly tables: readonly number[];
  /** CR0, CR2, CR3, CR4. */
  readonly control: readonly number[];
}

/** Splits QEMU's trace into records. */
export async function* readTrace(stream: Readable): AsyncGenerator<TraceRecord> {
  let rest = '';
  for await (const chunk of stream) {
    const parts = (rest + String(chunk)).split('Trace 0: ');
    rest = parts.pop()!;
    for (const part of parts) if (part.includes('EAX=')) yield parse(part);
  }
}

/** The next hexadecimal number behind `key`, which stands at or after `from`. */
function field(text: string, key: string, from = 0): number {
  const at = text.indexOf(key, from);
  return Number.parseInt(text.substring(at + key.length, at + key.length + 8), 16);
}

const ORDER = ['EAX=', 'ECX=', 'EDX=', 'EBX=', 'ESP=', 'EBP=', 'ESI=', 'EDI='];
const SEGMENTS = ['ES =', 'CS =', 'SS =', 'DS =', 'FS =', 'GS ='];

function parse(text: string): TraceRecord {
  return {
    registers: ORDER.map((key) => field(text, key)),
    eip: field(text, 'EIP='),
    eflags: field(text, 'EFL='),
    cpl: Number(text[text.indexOf('CPL=') + 4]),
    segments: SEGMENTS.map((key) => {
      const [selector, base, limit, attributes] = text.substr(text.indexOf(key) + 4, 31).split(' ');
      const [a, b, c, d] = [selector, base, limit, attributes].map((v) => Number.parseInt(v!, 16)) as [number, number, number, number];
      return [a, b, c, d & 0xf0ff00];
    }),
    tables: ['GDT=     ', 'IDT=     '].flatMap((key) => {
      const at = text.indexOf(key) + key.length;
      return [Number.parseInt(text.substr(at, 8), 16), Number.parseInt(text.substr(at + 9, 8), 16)];
    }),
    control: ['CR0=', 'CR2=', 'CR3=', 'CR4='].map((key) => field(text, key)),
  };
}
