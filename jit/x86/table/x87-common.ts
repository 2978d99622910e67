import type { Cpu } from '../cpu.js';
import type { Exec, Insn, Row } from '../insn.js';
import { load16, load32, probeWrite, store16, store32 } from '../mmu.js';
import { effectiveAddress } from '../operands.js';
import { CS, SEG_BASE } from '../regs.js';
import { Floatx80 } from '../softfloat/floatx80.js';
import { result64 } from '../softfloat/floatx80-convert.js';

/** Operands and result of the instruction being executed. */
export const X = /* @__PURE__ */ new Floatx80();
export const Y = /* @__PURE__ */ new Floatx80();
export const R = /* @__PURE__ */ new Floatx80();

/** FIP and FCS: the last thing an instruction that changes them does, so that a fault leaves them alone. */
export function noteInstruction(cpu: Cpu): void {
  const fpu = cpu.fpu;
  fpu.instructionSelector = cpu.selector[CS]!;
  fpu.instructionOffset = cpu.insnEip;
}

/** FDP, FDS, FIP and FCS. QEMU does not cut the offset to 16 bits with 16-bit addressing. */
export function noteOperand(cpu: Cpu, i: Insn): void {
  const r = cpu.r;
  const fpu = cpu.fpu;
  fpu.dataOffset = (r[i.base] + (r[i.index] << i.scale) + i.disp) | 0;
  fpu.dataSelector = cpu.selector[i.segment - SEG_BASE]!;
  fpu.instructionSelector = cpu.selector[CS]!;
  fpu.instructionOffset = cpu.insnEip;
}

/** Loads 64 bits into `result64`. */
export function load64(cpu: Cpu, laddr: number): void {
  const lo = load32(cpu, laddr);
  result64.hi = load32(cpu, (laddr + 4) | 0);
  result64.lo = lo;
}

/** Stores 64 bits; nothing is written if any of them cannot be. */
export function store64(cpu: Cpu, laddr: number, hi: number, lo: number): void {
  if ((laddr & 0xfff) > 0xff8) probeWrite(cpu, laddr, 8);
  store32(cpu, laddr, lo);
  store32(cpu, (laddr + 4) | 0, hi);
}

/** Loads 80 bits into `out`. */
export function loadFloatx80(cpu: Cpu, laddr: number, out: Floatx80): void {
  load64(cpu, laddr);
  out.signExp = load16(cpu, (laddr + 8) | 0);
  out.hi = result64.hi;
  out.lo = result64.lo;
}

/** Stores 80 bits: significand first, which stays written if the rest faults. */
export function storeFloatx80(cpu: Cpu, laddr: number, value: Floatx80): void {
  store64(cpu, laddr, value.hi, value.lo);
  store16(cpu, (laddr + 8) | 0, value.signExp);
}

/** Stores ST(0)..ST(7), `step` bytes from one to the next. */
export function storeRegisters(cpu: Cpu, laddr: number, step: number): void {
  for (let n = 0; n < 8; n++) {
    cpu.fpu.get(n, X);
    storeFloatx80(cpu, (laddr + n * step) | 0, X);
  }
}

/** Loads ST(0)..ST(7); each is loaded when the next one faults. */
export function loadRegisters(cpu: Cpu, laddr: number, step: number): void {
  for (let n = 0; n < 8; n++) {
    loadFloatx80(cpu, (laddr + n * step) | 0, X);
    cpu.fpu.put(n, X);
  }
}

/** An executor for a memory operand that ends by noting it. */
export function withOperand(exec: (cpu: Cpu, laddr: number) => void): Exec {
  return (cpu, i) => {
    exec(cpu, effectiveAddress(cpu, i));
    noteOperand(cpu, i);
  };
}

/** An executor with register ST(rm) that ends by noting the instruction. */
export function withRegister(exec: (cpu: Cpu, rm: number) => void): Exec {
  return (cpu, i) => {
    exec(cpu, i.rm);
    noteInstruction(cpu);
  };
}

/** Row for a memory operand. */
export function memoryRow(name: string, opcode: number, digit: number, exec: Exec, size: 16 | 32 | 'v' = 32): Row {
  return { name, map: '1', opcode, digit, form: 'mem', modrm: true, size, exec: () => exec, test: 'fpu' };
}

/** Row for a register ST(rm), any of the eight. */
export function registerRow(name: string, opcode: number, digit: number, exec: Exec): Row {
  return { name, map: '1', opcode, digit, form: 'reg', modrm: true, size: 32, exec: () => exec, test: 'fpu' };
}

/** Row for one ModRM byte (mod 3). */
export function plainRow(name: string, opcode: number, modrm: number, exec: Exec): Row {
  return { ...registerRow(name, opcode, (modrm >> 3) & 7, exec), rm: modrm & 7 };
}
