import type { FileInput } from '../../replay/log/input.js';
import { UserError } from '../core/errors.js';
import { type KernelSymbol, printable } from './symbol-table.js';

// Executable and Linkable Format (System V ABI, chapter 4; ELF-64 Object File Format 1.5).
const ELFCLASS64 = 2;
const ELFDATA2LSB = 1;
const ET_REL = 1;
const EM_386 = 3;
const EM_X86_64 = 62;
const SHT_SYMTAB = 2;
const SHT_STRTAB = 3;
const SHF_EXECINSTR = 4;
const SHN_LORESERVE = 0xff00;
const STT_NOTYPE = 0;
const STT_FUNC = 2;
const STB_LOCAL = 0;

const MAX_SYMBOLS = 4_000_000;
const MAX_STRINGS = 256 << 20;
const MAX_NAME = 4096;

interface Section {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
}

/** Whether a file says that it is an ELF file. */
export function isElf(head: Uint8Array): boolean {
  return head.length >= 4 && head[0] === 0x7f && head[1] === 0x45 && head[2] === 0x4c && head[3] === 0x46;
}

/** Functions and other symbols in the .symtab of an ELF file (32 or 64 bits), such as vmlinux. */
export function parseElfSymbols(file: FileInput): KernelSymbol[] {
  return new ElfReader(file).symbols();
}

class ElfReader {
  private readonly file: FileInput;
  private readonly wide: boolean;
  private readonly header: DataView;

  constructor(file: FileInput) {
    this.file = file;
    const ident = this.read(0, 16, 'its header');
    if (ident.getUint8(5) !== ELFDATA2LSB) this.refuse('a big-endian ELF file, but the guest is little-endian');
    this.wide = ident.getUint8(4) === ELFCLASS64;
    this.header = this.read(0, this.wide ? 64 : 52, 'its header');
    const machine = this.header.getUint16(18, true);
    if (machine !== EM_386 && machine !== EM_X86_64) this.refuse(`an ELF file for machine ${machine}, not for the 80386`);
    if (this.header.getUint16(16, true) === ET_REL) this.refuse('an object file: it has no addresses before it is linked');
  }

  symbols(): KernelSymbol[] {
    const sections = this.sections();
    const table = sections.find((s) => s.type === SHT_SYMTAB);
    if (table === undefined) return this.refuse('has no symbol table: it was stripped');
    const strings = sections[table.link];
    if (strings === undefined || strings.type !== SHT_STRTAB || strings.size > MAX_STRINGS)
      return this.refuse('its symbol table has no names');
    const step = this.wide ? 24 : 16;
    const count = Math.floor(table.size / step);
    if (count > MAX_SYMBOLS) return this.refuse(`has ${count} symbols; ${MAX_SYMBOLS} are the most that are read`);
    const names = new Uint8Array(this.read(strings.offset, strings.size, 'its names').buffer);
    const entries = this.read(table.offset, count * step, 'its symbol table');
    return Array.from({ length: count }, (_, k) => this.symbol(entries, k * step, names, sections)).filter((s) => s !== null);
  }

  private symbol(entries: DataView, at: number, names: Uint8Array, sections: readonly Section[]): KernelSymbol | null {
    const { wide } = this;
    const info = entries.getUint8(at + (wide ? 4 : 12));
    const section = entries.getUint16(at + (wide ? 6 : 14), true);
    const address = wide ? Number(entries.getBigUint64(at + 8, true)) : entries.getUint32(at + 4, true);
    const type = info & 15;
    if (section === 0 || section >= SHN_LORESERVE || type > STT_FUNC) return null;
    if (address > 0xffffffff) return this.refuse('has addresses of more than 32 bits, but the guest has a 32-bit processor');
    const name = nameAt(names, entries.getUint32(at, true));
    if (name === null) return this.refuse(`its symbol at offset ${at} of the symbol table has no name inside the file`);
    if (name === '') return null;
    const executable = ((sections[section]?.flags ?? 0) & SHF_EXECINSTR) !== 0;
    return {
      address,
      name: printable(name),
      code: type === STT_FUNC || (type === STT_NOTYPE && executable),
      global: info >> 4 !== STB_LOCAL,
    };
  }

  private sections(): Section[] {
    const { wide, header } = this;
    const offset = wide ? Number(header.getBigUint64(40, true)) : header.getUint32(32, true);
    const size = header.getUint16(wide ? 58 : 46, true);
    const count = header.getUint16(wide ? 60 : 48, true);
    if (offset === 0 || count === 0) return this.refuse('has no sections, so no symbol table');
    if (size < (wide ? 64 : 40)) return this.refuse(`its section headers are ${size} bytes long`);
    const view = this.read(offset, count * size, 'its section headers');
    return Array.from({ length: count }, (_, k) => this.section(view, k * size));
  }

  private section(view: DataView, at: number): Section {
    const type = view.getUint32(at + 4, true);
    if (this.wide)
      return {
        type,
        flags: view.getUint32(at + 8, true),
        offset: Number(view.getBigUint64(at + 24, true)),
        size: Number(view.getBigUint64(at + 32, true)),
        link: view.getUint32(at + 40, true),
      };
    return {
      type,
      flags: view.getUint32(at + 8, true),
      offset: view.getUint32(at + 16, true),
      size: view.getUint32(at + 20, true),
      link: view.getUint32(at + 24, true),
    };
  }

  /** A part of the file, all of it. */
  private read(offset: number, length: number, what: string): DataView {
    const { file } = this;
    if (offset + length > file.size) return this.refuse(`${what} would end at byte ${offset + length}, but the file has ${file.size}`);
    const bytes = new Uint8Array(length);
    if (file.read(bytes, 0, length, offset) !== length) return this.refuse(`${what} could not be read`);
    return new DataView(bytes.buffer);
  }

  private refuse(what: string): never {
    throw new UserError('symbols-corrupt', `${this.file.name}: ${what}`);
  }
}

/** The name at an offset; null: outside, endless or without an end. */
function nameAt(names: Uint8Array, offset: number): string | null {
  if (offset >= names.length) return null;
  const end = names.indexOf(0, offset);
  if (end < 0 || end - offset > MAX_NAME) return null;
  return String.fromCharCode(...names.subarray(offset, end));
}
