import { disassemble } from '../core/disassemble.js';
import { hex } from './names.js';

/** One line per instruction, `address  text` in Intel syntax, with linear addresses. */
export function disassemblyLines(bytes: Uint8Array, address: number, bits: number): string[] {
  if (bytes.length === 0) return ['(not in memory)'];
  return disassemble(bytes, address, bits, 'Nasm').map((i) => `${hex(i.address)}  ${i.text}`);
}
