import type { Cpu } from '../cpu.js';
import { raiseStatic, UD } from '../fault.js';
import type { Exec, Insn, Row } from '../insn.js';
import { load32, store32 } from '../mmu.js';
import { MODE_EM } from '../mode.js';
import { effectiveAddress } from '../operands.js';
import { absentRows } from './sse-absent.js';
import { sseArithRows } from './sse-arith.js';
import { guard, NEEDS_SSE } from './sse-common.js';
import { sseConvertRows } from './sse-convert.js';
import { sseIntegerRows } from './sse-integer.js';
import { sseMoveRows } from './sse-move.js';

function undefinedOpcode(): never {
  return raiseStatic(UD);
}

/** LDMXCSR, STMXCSR look at CR0.EM before TS and ignore LOCK in QEMU. */
function mxcsrRow(name: string, digit: number, exec: Exec): Row {
  const pick = (i: Insn): Exec => ((i.mode & MODE_EM) !== 0 ? undefinedOpcode : guard(i, NEEDS_SSE, exec, exec));
  return { name, map: '0f', opcode: 0xae, digit, form: 'mem', modrm: true, size: 32, exec: pick, test: 'sse' };
}

function ldmxcsr(cpu: Cpu, i: Insn): void {
  cpu.sse.mxcsr = load32(cpu, effectiveAddress(cpu, i));
}

function stmxcsr(cpu: Cpu, i: Insn): void {
  store32(cpu, effectiveAddress(cpu, i), cpu.sse.mxcsr | 0);
}

function nothing(): void {}

/** Fences order memory accesses, of which there is one processor's. All eight values of rm are the same; no control register is looked at. */
function fenceRow(name: string, digit: number): Row {
  return {
    name,
    map: '0f',
    opcode: 0xae,
    digit,
    form: 'reg',
    modrm: true,
    size: 32,
    lockable: false,
    // 66 makes SFENCE with rm = 0 PCOMMIT.
    exec: (i) => (digit === 7 && i.rm === 0 && i.opsizePrefix ? onlyOnMax : nothing),
    test: 'sse',
  };
}

function onlyOnMax(cpu: Cpu): void {
  if (cpu.model !== 'max') raiseStatic(UD);
}

/**
 * CLFLUSH, with 66 CLFLUSHOPT; CLWB. `qemu32` lacks them; QEMU's `max` has all, though our CPUID shows CLFLUSH only. The address is not looked at.
 */
const cacheLineRows: readonly Row[] = [
  cacheLineRow('clflush', 7, (i) => i.rep === 0 || i.opsizePrefix),
  cacheLineRow('clwb', 6, (i) => i.opsizePrefix),
];

function cacheLineRow(name: string, digit: number, exists: (i: Insn) => boolean): Row {
  return {
    name,
    map: '0f',
    opcode: 0xae,
    digit,
    form: 'mem',
    modrm: true,
    size: 32,
    lockable: false,
    exec: (i) => (exists(i) ? onlyOnMax : undefinedOpcode),
    test: 'sse',
  };
}

/** MOVNTI: a plain 32-bit store, whatever the control registers say. */
const movnti: Row = {
  name: 'movnti',
  map: '0f',
  opcode: 0xc3,
  form: 'mem',
  modrm: true,
  size: 32,
  exec: () => (cpu, i) => store32(cpu, effectiveAddress(cpu, i), cpu.r[i.reg]),
  test: 'sse',
};

/** SSE, SSE2 and SSE3 but for what they added to the MMX registers (SDM Vol. 1, chapters 10 to 12). */
export const sseRows: readonly Row[] = [
  ...sseArithRows,
  ...sseConvertRows,
  ...sseIntegerRows,
  ...sseMoveRows,
  mxcsrRow('ldmxcsr', 2, ldmxcsr),
  mxcsrRow('stmxcsr', 3, stmxcsr),
  fenceRow('lfence', 5),
  fenceRow('mfence', 6),
  fenceRow('sfence', 7),
  ...cacheLineRows,
  movnti,
  ...absentRows,
];
