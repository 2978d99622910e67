import { disassemble } from '../../../src/core/disassemble.js';
import { MODE_CS32 } from '../mode.js';
import type { TbSource } from './translate.js';

/** One line per instruction of a TB, `eip  text` in Intel syntax, as notes for `translateTb`. `bytes` are the TB's. */
export function disassembleTb(source: TbSource, bytes: Uint8Array): string[] {
  const bits = (source.mode & MODE_CS32) !== 0 ? 32 : 16;
  let offset = 0;
  return source.insns.map((insn) => {
    const eip = (source.eip + offset) >>> 0;
    const slice = bytes.subarray(offset, offset + insn.length);
    offset += insn.length;
    const text = disassemble(slice, eip, bits, 'Nasm', 1)[0]?.text ?? '(bad)';
    return `${eip.toString(16).padStart(8, '0')}  ${text}`;
  });
}
