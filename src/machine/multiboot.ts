import { setA20Gate } from '../../jit/x86/a20.js';
import type { Cpu } from '../../jit/x86/cpu.js';
import { CS, DS, EAX, EBX, EIP, ES, FS, GS, SS } from '../../jit/x86/regs.js';
import { loadSegmentCache, updateMode } from '../../jit/x86/segments.js';
import { UserError } from '../core/errors.js';
import type { PhysicalMemory } from '../memory/physical.js';
import type { MachineConfig } from './config.js';
import { readInput } from './input-file.js';
import { initrdModules } from './input-paths.js';

/** Multiboot specification 0.6.96, section 3.1: the header lies in the first 8 KiB, 4-byte aligned. */
const HEADER_MAGIC = 0x1badb002;
const HEADER_SEARCH_BYTES = 8192;
const FLAG_ADDRESSES = 0x10000;
const SUPPORTED_FLAGS = 0xffff_0007;
const LOADER_MAGIC = 0x2badb002;
const ELF_MAGIC = 0x464c457f;
const PT_LOAD = 1;
/** The information structure and its strings live here, below the EBDA. */
const INFO_BASE = 0x9000;
const INFO_END = 0x80000;
const INFO_FLAGS = 0x1 | 0x4 | 0x8 | 0x40 | 0x200;
const PAGE = 4096;
const LOW_KIB = 640;
const CR0_PE = 1;
const CODE_32 = 0xcf9b00;
const DATA_32 = 0xcf9300;

interface Segment {
  readonly paddr: number;
  readonly bytes: Uint8Array;
  /** Bytes of memory, zero-filled behind `bytes`. */
  readonly length: number;
}

interface Image {
  readonly entry: number;
  readonly segments: readonly Segment[];
}

/** A multiboot kernel ready to be put into memory and started, at power-on and at each reset. */
export class MultibootKernel {
  private readonly image: Image;
  private readonly modules: readonly { bytes: Uint8Array; text: string }[];
  private readonly config: MachineConfig;
  private readonly memory: PhysicalMemory;

  /** Takes the contents of `--kernel` and reads the modules of `--initrd`. Throws UserError for files that are no multiboot kernels or do not fit. */
  constructor(config: MachineConfig, kernel: Uint8Array, memory: PhysicalMemory) {
    this.config = config;
    this.memory = memory;
    this.image = parse(config.kernel!, kernel);
    for (const s of this.image.segments)
      if (s.paddr + s.length > config.memoryBytes)
        throw new UserError(
          'image-corrupt',
          `--kernel ${config.kernel}: needs memory up to 0x${(s.paddr + s.length).toString(16)}, the machine has ${config.memoryBytes} bytes`,
        );
    this.modules = initrdModules(config.initrd).map(({ text, file }) => ({ text, bytes: readInput('--initrd', file, config.foundAt) }));
  }

  /** Loads everything and puts the processor into the machine state of section 3.2. */
  start(cpu: Cpu): void {
    for (const s of this.image.segments) {
      this.memory.writeBytes(s.paddr, new Uint8Array(s.length));
      this.memory.writeBytes(s.paddr, s.bytes);
    }
    this.writeInfo();
    setA20Gate(cpu, true);
    cpu.cr0 |= CR0_PE;
    loadSegmentCache(cpu, CS, 8, 0, -1, CODE_32);
    for (const s of [DS, ES, FS, GS, SS]) loadSegmentCache(cpu, s, 16, 0, -1, DATA_32);
    cpu.r[EAX] = LOADER_MAGIC;
    cpu.r[EBX] = INFO_BASE;
    cpu.r[EIP] = this.image.entry;
    updateMode(cpu);
  }

  private writeInfo(): void {
    const { config, memory } = this;
    let strings = INFO_BASE + 0x400;
    const text = (s: string): number => {
      const bytes = new TextEncoder().encode(`${s}\0`);
      const at = strings;
      strings += bytes.length;
      if (strings > INFO_END) throw new UserError('bad-option', '--append and --initrd are longer than 480000 bytes together');
      memory.writeBytes(at, bytes);
      return at;
    };
    const word = (at: number, value: number): void => memory.write(at, value, 4);
    const commandLine = config.append === '' ? config.kernel! : `${config.kernel} ${config.append}`;
    word(INFO_BASE, INFO_FLAGS);
    word(INFO_BASE + 4, LOW_KIB);
    word(INFO_BASE + 8, config.memoryBytes / 1024 - 1024);
    word(INFO_BASE + 16, text(commandLine));
    word(INFO_BASE + 20, this.modules.length);
    word(INFO_BASE + 24, INFO_BASE + 0x100);
    word(INFO_BASE + 44, 2 * 24);
    word(INFO_BASE + 48, INFO_BASE + 0x80);
    word(INFO_BASE + 64, text('palindrome'));
    this.memoryRange(INFO_BASE + 0x80, 0, LOW_KIB * 1024);
    this.memoryRange(INFO_BASE + 0x98, 0x100000, config.memoryBytes - 0x100000);
    this.placeModules(word, text);
  }

  private memoryRange(at: number, base: number, length: number): void {
    for (const [i, v] of [20, base, 0, length, 0, 1].entries()) this.memory.write(at + 4 * i, v, 4);
  }

  private placeModules(word: (at: number, value: number) => void, text: (s: string) => number): void {
    let at = Math.max(...this.image.segments.map((s) => s.paddr + s.length), 0x100000);
    this.modules.forEach((module, n) => {
      at = Math.ceil(at / PAGE) * PAGE;
      if (at + module.bytes.length > this.config.memoryBytes)
        throw new UserError('image-corrupt', `--initrd ${module.text}: does not fit into memory`);
      this.memory.writeBytes(at, module.bytes);
      for (const [i, v] of [at, at + module.bytes.length, text(module.text), 0].entries()) word(INFO_BASE + 0x100 + 16 * n + 4 * i, v);
      at += module.bytes.length;
    });
  }
}

function parse(path: string, bytes: Uint8Array): Image {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const limit = Math.min(bytes.length, HEADER_SEARCH_BYTES) - 12;
  for (let at = 0; at <= limit; at += 4) {
    if (view.getUint32(at, true) !== HEADER_MAGIC) continue;
    const flags = view.getUint32(at + 4, true);
    if (((HEADER_MAGIC + flags + view.getUint32(at + 8, true)) & 0xffffffff) !== 0) continue;
    if ((flags & ~SUPPORTED_FLAGS) !== 0)
      throw new UserError('not-supported', `--kernel ${path}: multiboot header asks for features 0x${flags.toString(16)}`);
    return flags & FLAG_ADDRESSES ? parseAddresses(path, bytes, view, at) : parseElf(path, bytes, view);
  }
  throw new UserError(
    'image-corrupt',
    `--kernel ${path}: no multiboot header in its first ${HEADER_SEARCH_BYTES} bytes; other kernels are not supported yet`,
  );
}

/** Section 3.1.3: the address fields of the header. */
function parseAddresses(path: string, bytes: Uint8Array, view: DataView, at: number): Image {
  if (at + 32 > bytes.length) throw new UserError('image-corrupt', `--kernel ${path}: the multiboot header is cut off`);
  const [header, load, loadEnd, bssEnd, entry] = [12, 16, 20, 24, 28].map((o) => view.getUint32(at + o, true)) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const from = at - (header - load);
  const end = loadEnd === 0 ? bytes.length : from + (loadEnd - load);
  if (from < 0 || end < from || end > bytes.length || (bssEnd !== 0 && bssEnd < loadEnd))
    throw new UserError('image-corrupt', `--kernel ${path}: the addresses in its multiboot header do not fit the file`);
  const data = bytes.subarray(from, end);
  return { entry, segments: [{ paddr: load, bytes: data, length: Math.max(data.length, bssEnd === 0 ? 0 : bssEnd - load) }] };
}

/** ELF32 program headers (System V ABI, chapter 5). */
function parseElf(path: string, bytes: Uint8Array, view: DataView): Image {
  const bad = (what: string): never => {
    throw new UserError('image-corrupt', `--kernel ${path}: ${what}`);
  };
  if (bytes.length < 52 || view.getUint32(0, true) !== ELF_MAGIC || view.getUint8(4) !== 1)
    bad('neither an ELF32 file nor addresses in the multiboot header');
  const table = view.getUint32(28, true);
  const entrySize = view.getUint16(42, true);
  const count = view.getUint16(44, true);
  if (entrySize < 32 || table + entrySize * count > bytes.length) bad('its program headers lie outside the file');
  const segments: Segment[] = [];
  for (let i = 0; i < count; i++) {
    const at = table + i * entrySize;
    if (view.getUint32(at, true) !== PT_LOAD) continue;
    const [offset, , paddr, fileBytes, length] = [4, 8, 12, 16, 20].map((o) => view.getUint32(at + o, true)) as [
      number,
      number,
      number,
      number,
      number,
    ];
    if (offset + fileBytes > bytes.length || length < fileBytes) bad('a segment lies outside the file');
    segments.push({ paddr, bytes: bytes.subarray(offset, offset + fileBytes), length });
  }
  if (segments.length === 0) bad('it has nothing to load');
  return { entry: view.getUint32(24, true), segments };
}
