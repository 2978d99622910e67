/**
 * Random x87 cases in the memory layout of x87-runner.asm, and the two ways of running them: our executors and QEMU.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cpu, type CpuBoard } from '../../jit/x86/cpu.js';
import { decodeInsn } from '../../jit/x86/decoder.js';
import { readEflags, setArithFlags } from '../../jit/x86/flags.js';
import { MODE_CS32, MODE_PE, MODE_SS32 } from '../../jit/x86/mode.js';
import { CS, DS, EAX, EBX, ECX, EDI, EFLAGS, EIP, ESI, FLAGS_ARITH, SS } from '../../jit/x86/regs.js';
import { PhysicalMemory } from '../../src/memory/physical.js';
import { PATIENCE_MS } from '../tools.js';

const RAM_BYTES = 6 << 20;
const SNIPPETS = 0x100000;
const COUNT = 0x10fff0;
const CASES = 0x200000;
const CASE_BYTES = 160;
/** Offsets in a case: snippet, EAX, EFLAGS, FNSAVE image, memory operand. */
const EAX_AT = 4;
export const FLAGS_OFFSET = 8;
export const STATE_OFFSET = 16;
const MEMORY_AT = 128;
const MAX_CASES = Math.floor((RAM_BYTES - CASES) / CASE_BYTES);
const RET = 0xc3;

/** An instruction under test: at most 15 bytes; [EBX] is its memory operand. */
export type Snippet = readonly number[];

export interface Case {
  readonly snippet: number;
  readonly eax: number;
  readonly eflags: number;
  readonly controlWord: number;
  readonly statusWord: number;
  readonly tagWord: number;
  /** ST(0)..ST(7), 10 bytes each. */
  readonly registers: readonly (readonly number[])[];
  readonly memory: readonly number[];
}

/** RAM with snippets and cases, as both sides start from it. */
export function buildImage(snippets: readonly Snippet[], cases: readonly Case[]): Uint8Array {
  if (cases.length > MAX_CASES) throw new RangeError(`${cases.length} cases; an image takes ${MAX_CASES}`);
  const image = new Uint8Array(RAM_BYTES);
  const dv = new DataView(image.buffer);
  for (const [n, bytes] of snippets.entries()) image.set([...bytes, RET], SNIPPETS + 16 * n);
  dv.setUint32(COUNT, cases.length, true);
  cases.forEach((c, n) => {
    const at = caseOffset(n);
    dv.setUint32(at, c.snippet, true);
    dv.setInt32(at + EAX_AT, c.eax, true);
    dv.setUint32(at + FLAGS_OFFSET, c.eflags, true);
    dv.setUint32(at + STATE_OFFSET, c.controlWord, true);
    dv.setUint32(at + STATE_OFFSET + 4, c.statusWord, true);
    dv.setUint32(at + STATE_OFFSET + 8, c.tagWord, true);
    for (const [k, bytes] of c.registers.entries()) image.set(bytes, at + STATE_OFFSET + 28 + 10 * k);
    image.set(c.memory, at + MEMORY_AT);
  });
  return image;
}

/** A board with nothing on it. */
export const emptyBoard: CpuBoard = {
  readPort: () => 0,
  writePort: () => {},
  acknowledgeInterrupt: () => -1,
  interruptAllowed: () => false,
  interruptTaken: () => {},
  exceptionRaised: () => {},
  countedBehindTrap: (most) => most,
  timestampCounter: () => 0,
  random: (length) => new Uint8Array(length),
  readApicBase: () => 0,
  writeApicBase: () => {},
  setFerr: () => {},
  smmChanged: () => {},
  pollApic: () => {},
  apicInit: () => {},
};

const FRSTOR = [0xdd, 0xa3, STATE_OFFSET - MEMORY_AT, 0xff, 0xff, 0xff];
const FNSAVE = [0xdd, 0xb3, STATE_OFFSET - MEMORY_AT, 0xff, 0xff, 0xff];

let cached: Cpu | null = null;

/** One for all runs: its translation caches are large. */
function processor(): Cpu {
  if (cached === null) {
    const memory = new PhysicalMemory(RAM_BYTES);
    memory.map(0, RAM_BYTES, memory.allocate(RAM_BYTES), 0);
    cached = new Cpu(memory, emptyBoard, 'qemu32');
  }
  return cached;
}

/** Runs every case in `image` with our executors; the outcome replaces it. */
export function runHere(image: Uint8Array): void {
  const cpu = processor();
  const { memory } = cpu;
  memory.u8.set(image);
  cpu.reset();
  cpu.selector[CS] = 8;
  cpu.selector[DS] = cpu.selector[SS] = 16;
  cpu.r.fill(0, 16, 22);
  cpu.cr0 |= 0x20;
  const mode = MODE_CS32 | MODE_SS32 | MODE_PE;
  const dv = memory.dv;
  const frstor = decodeInsn(Uint8Array.from(FRSTOR), 0, mode);
  const fnsave = decodeInsn(Uint8Array.from(FNSAVE), 0, mode);
  const count = dv.getUint32(COUNT, true);
  for (let n = 0; n < count; n++) {
    const at = caseOffset(n);
    const eip = SNIPPETS + 16 * dv.getUint32(at, true);
    // Registers as the runner has them.
    cpu.r[EBX] = at + MEMORY_AT;
    cpu.r[ESI] = at;
    cpu.r[EDI] = eip;
    cpu.r[ECX] = count - n;
    cpu.r[EAX] = dv.getInt32(at + EAX_AT, true);
    const eflags = dv.getUint32(at + FLAGS_OFFSET, true);
    cpu.r[EFLAGS] = eflags & ~FLAGS_ARITH;
    setArithFlags(cpu, eflags);
    frstor.exec(cpu, frstor);
    const i = decodeInsn(memory.u8, eip, mode);
    cpu.insnEip = eip;
    cpu.r[EIP] = eip + i.length;
    i.exec(cpu, i);
    dv.setInt32(at + FLAGS_OFFSET, readEflags(cpu), true);
    dv.setInt32(at + EAX_AT, cpu.r[EAX]!, true);
    fnsave.exec(cpu, fnsave);
  }
  image.set(memory.u8.subarray(0, RAM_BYTES));
}

/** Runs every case in `image` with QEMU; the outcome replaces it. Needs nasm and qemu-system-i386. */
export function runQemu(image: Uint8Array): void {
  const directory = mkdtempSync(join(tmpdir(), 'x87-'));
  try {
    const ram = join(directory, 'ram');
    const rom = join(directory, 'rom');
    execFileSync('nasm', ['-f', 'bin', '-o', rom, join(import.meta.dirname, 'x87-runner.asm')]);
    writeFileSync(ram, image);
    const backend = `memory-backend-file,id=ram,size=${RAM_BYTES},mem-path=${ram},share=on`;
    const machine = ['-object', backend, '-machine', 'pc,memory-backend=ram', '-m', `${RAM_BYTES >> 20}`, '-bios', rom];
    const quiet = ['-nodefaults', '-display', 'none', '-no-reboot', '-device', 'isa-debug-exit,iobase=0x501'];
    try {
      execFileSync('qemu-system-i386', [...machine, ...quiet], { timeout: PATIENCE_MS, stdio: 'pipe' });
    } catch (e) {
      // isa-debug-exit ends QEMU with an odd exit code.
      if (((e as { status: number | null }).status ?? 0) % 2 !== 1) throw e;
    }
    image.set(readFileSync(ram));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Where case `n` lies in an image. */
export function caseOffset(n: number): number {
  return CASES + n * CASE_BYTES;
}

/** Numbers of the cases whose outcomes differ. */
export function differences(a: Uint8Array, b: Uint8Array): number[] {
  const count = new DataView(a.buffer).getUint32(COUNT, true);
  const different: number[] = [];
  for (let n = 0; n < count; n++) {
    const at = caseOffset(n);
    if (Buffer.compare(a.subarray(at, at + CASE_BYTES), b.subarray(at, at + CASE_BYTES)) !== 0) different.push(n);
  }
  return different;
}

/** One case for people. */
export function describeCase(image: Uint8Array, n: number): string {
  const at = caseOffset(n);
  const dv = new DataView(image.buffer);
  const hex = (offset: number, length: number) => Buffer.from(image.subarray(at + offset, at + offset + length)).toString('hex');
  const words = ['cw', 'sw', 'tw', 'ip', 'cs', 'dp', 'ds'].map(
    (name, k) => `${name}=${dv.getUint32(at + STATE_OFFSET + 4 * k, true).toString(16)}`,
  );
  const registers = Array.from({ length: 8 }, (_, k) => {
    const bytes = Buffer.from(image.subarray(at + STATE_OFFSET + 28 + 10 * k, at + STATE_OFFSET + 38 + 10 * k))
      .reverse()
      .toString('hex');
    return `st${k}=${bytes.slice(0, 4)}.${bytes.slice(4)}`;
  });
  const memory = `mem=${hex(MEMORY_AT, 16)}`;
  const flags = `eax=${dv.getUint32(at + EAX_AT, true).toString(16)} efl=${dv.getUint32(at + FLAGS_OFFSET, true).toString(16)}`;
  return `#${n} snippet ${dv.getUint32(at, true)} ${words.join(' ')} ${registers.slice(0, 3).join(' ')} ${memory} ${flags}`;
}
