import { FileInput } from '../../replay/log/input.js';
import { UserError } from '../core/errors.js';
import { isElf, parseElfSymbols } from './elf-symbols.js';
import { SymbolTable } from './symbol-table.js';
import { parseSystemMap } from './system-map.js';

const MAX_TEXT = 256 << 20;

/** Reads the functions of a kernel from System.map (or /proc/kallsyms, or nm's output), or from an ELF file such as vmlinux. */
export function readSymbols(path: string): SymbolTable {
  const file = new FileInput(path);
  try {
    const head = new Uint8Array(4);
    const length = file.read(head, 0, 4, 0);
    const table = new SymbolTable(isElf(head.subarray(0, length)) ? parseElfSymbols(file) : parseSystemMap(readText(file), path));
    if (table.functions === 0) throw new UserError('symbols-corrupt', `${path}: names no function`);
    return table;
  } finally {
    file.close();
  }
}

function readText(file: FileInput): string {
  if (file.size > MAX_TEXT) throw new UserError('symbols-corrupt', `${file.name}: ${file.size} bytes are too many for a System.map`);
  const bytes = new Uint8Array(file.size);
  const length = file.read(bytes, 0, file.size, 0);
  if (bytes.subarray(0, Math.min(length, 4096)).includes(0))
    throw new UserError('symbols-corrupt', `${file.name}: neither a System.map nor an ELF file (a bzImage has no symbols; vmlinux has)`);
  return Buffer.from(bytes.buffer, 0, length).toString('latin1');
}
