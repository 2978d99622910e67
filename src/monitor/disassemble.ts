import { Decoder, DecoderOptions, Formatter, FormatterSyntax } from 'iced-x86';

const OPERAND_COLUMN = 9;

/** One instruction as `x/i` shows it. */
export interface DisassembledLine {
  readonly text: string;
  readonly lengthBytes: number;
}

/** The first `count` instructions of some bytes: address, encoding and AT&T text, as QEMU's disassembler prints them. */
export function disassemble(bytes: Uint8Array, address: number, bits: number, count: number): DisassembledLine[] {
  const decoder = new Decoder(bits, bytes, DecoderOptions.None);
  const formatter = new Formatter(FormatterSyntax.Gas);
  formatter.firstOperandCharIndex = OPERAND_COLUMN;
  const lines: DisassembledLine[] = [];
  decoder.ip = BigInt(address);
  for (let at = 0; lines.length < count && decoder.canDecode; ) {
    const instruction = decoder.decode();
    const encoded = Array.from(bytes.subarray(at, at + instruction.length), (b) => b.toString(16).padStart(2, '0')).join(' ');
    const head = `0x${(address + at).toString(16).padStart(8, '0')}:`;
    lines.push({ text: `${head}  ${encoded.padEnd(24)} ${formatter.format(instruction)}`, lengthBytes: instruction.length });
    at += instruction.length;
    instruction.free();
  }
  decoder.free();
  formatter.free();
  return lines;
}
