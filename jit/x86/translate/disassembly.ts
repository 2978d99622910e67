import { Decoder, DecoderOptions, Formatter, FormatterSyntax } from 'iced-x86';
import { MODE_CS32 } from '../mode.js';
import type { TbSource } from './translate.js';

/** One line per instruction of a TB, `eip  text` in Intel syntax, as notes for `translateTb`. `bytes` are the TB's. */
export function disassembleTb(source: TbSource, bytes: Uint8Array): string[] {
  const formatter = new Formatter(FormatterSyntax.Nasm);
  const lines: string[] = [];
  let offset = 0;
  for (const insn of source.insns) {
    const eip = (source.eip + offset) >>> 0;
    const slice = bytes.subarray(offset, offset + insn.length);
    const decoder = new Decoder((source.mode & MODE_CS32) !== 0 ? 32 : 16, slice, DecoderOptions.None);
    decoder.ip = BigInt(eip);
    const decoded = decoder.decode();
    lines.push(`${eip.toString(16).padStart(8, '0')}  ${formatter.format(decoded)}`);
    decoded.free();
    decoder.free();
    offset += insn.length;
  }
  formatter.free();
  return lines;
}
