import { disassemble } from '../core/disassemble.js';

const OPERAND_COLUMN = 9;

/** One instruction as `x/i` shows it. */
export interface DisassembledLine {
  readonly text: string;
  readonly lengthBytes: number;
}

/** The first instruction of some bytes: address, encoding and AT&T text, as QEMU's disassembler prints them; null when there is none. */
export function disassembledLine(bytes: Uint8Array, address: number, bits: number): DisassembledLine | null {
  const [first] = disassemble(bytes, address, bits, 'Gas', 1, OPERAND_COLUMN);
  if (first === undefined) return null;
  const encoded = Array.from(first.bytes, (b) => b.toString(16).padStart(2, '0')).join(' ');
  const head = `0x${first.address.toString(16).padStart(8, '0')}:`;
  return { text: `${head}  ${encoded.padEnd(24)} ${first.text}`, lengthBytes: first.bytes.length };
}
