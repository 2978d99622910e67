import { Decoder, DecoderOptions, Formatter, FormatterSyntax } from 'iced-x86';
import { hex } from './names.js';

/** One line per instruction, `address  text` in Intel syntax, with linear addresses. */
export function disassemble(bytes: Uint8Array, address: number, bits: number): string[] {
  if (bytes.length === 0) return ['(not in memory)'];
  const decoder = new Decoder(bits, bytes, DecoderOptions.None);
  const formatter = new Formatter(FormatterSyntax.Nasm);
  decoder.ip = BigInt(address);
  const lines: string[] = [];
  while (decoder.canDecode) {
    const at = Number(decoder.ip);
    const instruction = decoder.decode();
    lines.push(`${hex(at)}  ${formatter.format(instruction)}`);
    instruction.free();
  }
  decoder.free();
  formatter.free();
  return lines;
}
