import type { SegmentRegister, X86Registers } from '../../src/core/debug-target.js';
import { updateCr0, updateCr3, updateCr4 } from './control-registers.js';
import type { Cpu } from './cpu.js';
import { peekMemory } from './debug-memory.js';
import { DESC_A, DESC_P, DESC_RW, DESC_S, descriptorBase, descriptorLimit } from './descriptors.js';
import { loadEflags } from './eflags.js';
import { readEflags } from './flags.js';
import { MODE_VM } from './mode.js';
import { MSR_EFER } from './msr.js';
import { EIP, LDTR, SEG_BASE, TR } from './regs.js';
import { isProtected, loadSegmentCache, updateMode } from './segments.js';
import { XMM_BYTES } from './sse-state.js';

function segment(cpu: Cpu, n: number): SegmentRegister {
  const base = n === LDTR ? cpu.ldtrBase : n === TR ? cpu.trBase : cpu.r[SEG_BASE + n];
  return { selector: cpu.selector[n], base: base >>> 0, limit: cpu.limit[n] >>> 0, attributes: cpu.attributes[n] };
}

function fpuRegister(cpu: Cpu, n: number): Uint8Array {
  const bytes = new Uint8Array(10);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, cpu.fpu.mantLo[n], true);
  view.setUint32(4, cpu.fpu.mantHi[n], true);
  view.setUint16(8, cpu.fpu.signExp[n], true);
  return bytes;
}

/** All registers, for debuggers. @param cr8 the local APIC's task priority */
export function readRegisters(cpu: Cpu, cr8: number): X86Registers {
  const eight = [0, 1, 2, 3, 4, 5, 6, 7];
  return {
    general: eight.map((n) => cpu.r[n] >>> 0),
    eip: cpu.r[EIP] >>> 0,
    eflags: readEflags(cpu) >>> 0,
    segments: [0, 1, 2, 3, 4, 5].map((n) => segment(cpu, n)),
    ldt: segment(cpu, LDTR),
    task: segment(cpu, TR),
    gdtBase: cpu.gdtBase >>> 0,
    gdtLimit: cpu.gdtLimit >>> 0,
    idtBase: cpu.idtBase >>> 0,
    idtLimit: cpu.idtLimit >>> 0,
    cr0: cpu.cr0 >>> 0,
    cr2: cpu.cr2 >>> 0,
    cr3: cpu.cr3 >>> 0,
    cr4: cpu.cr4 >>> 0,
    cr8,
    efer: cpu.msr[2 * MSR_EFER],
    debug: Array.from(cpu.dr, (v) => v >>> 0),
    cpl: cpu.cpl,
    smm: cpu.smm,
    a20: cpu.a20Mask === -1,
    halted: cpu.halted,
    inhibitInterrupts: cpu.inhibitInterrupts,
    fpuControl: cpu.fpu.controlWord,
    fpuStatus: cpu.fpu.getStatusWord(),
    fpuInUse: eight.reduce((bits, n) => bits | (cpu.fpu.empty[n] === 0 ? 1 << n : 0), 0),
    fpuRegisters: eight.map((n) => fpuRegister(cpu, n)),
    mxcsr: cpu.sse.mxcsr,
    xmm: eight.map((n) => cpu.sse.xmm.slice(n * XMM_BYTES, (n + 1) * XMM_BYTES)),
  };
}

/** Registers that can be written from outside. */
export type WritableRegister =
  | { readonly kind: 'general'; readonly index: number; readonly value: number }
  | { readonly kind: 'eip' | 'eflags' | 'mxcsr' | 'cr0' | 'cr2' | 'cr3' | 'cr4'; readonly value: number }
  | { readonly kind: 'fpu-control' | 'fpu-status'; readonly value: number }
  /** ES CS SS DS FS GS by their numbers: the selector, or the base alone. */
  | { readonly kind: 'segment' | 'segment-base'; readonly index: number; readonly value: number }
  /** Index as seen from the top of the stack. */
  | { readonly kind: 'st' | 'xmm'; readonly index: number; readonly bytes: Uint8Array };

const EFLAGS_WRITABLE = 0x00277fd5;

/** Writes a register, for debuggers: with no checks, as QEMU does. */
export function writeRegister(cpu: Cpu, register: WritableRegister): void {
  switch (register.kind) {
    case 'general':
      cpu.r[register.index & 7] = register.value;
      return;
    case 'eip':
      cpu.r[EIP] = register.value;
      return;
    case 'eflags':
      return loadEflags(cpu, register.value, EFLAGS_WRITABLE);
    case 'mxcsr':
      cpu.sse.mxcsr = register.value >>> 0;
      return;
    case 'cr0':
      return updateCr0(cpu, register.value | 0);
    case 'cr2':
      cpu.cr2 = register.value | 0;
      return;
    case 'cr3':
      return updateCr3(cpu, register.value | 0);
    case 'cr4':
      return updateCr4(cpu, register.value | 0);
    case 'fpu-control':
      return cpu.fpu.setControlWord(register.value & 0xffff);
    case 'fpu-status':
      return cpu.fpu.setStatusWord(register.value & 0xffff);
    case 'segment':
      return writeSegment(cpu, register.index, register.value & 0xffff);
    case 'segment-base':
      return loadSegmentCache(
        cpu,
        register.index,
        cpu.selector[register.index],
        register.value | 0,
        cpu.limit[register.index],
        cpu.attributes[register.index],
      );
    case 'xmm':
      cpu.sse.xmm.set(register.bytes.subarray(0, XMM_BYTES), (register.index & 7) * XMM_BYTES);
      return;
    case 'st': {
      const view = new DataView(register.bytes.buffer, register.bytes.byteOffset, register.bytes.byteLength);
      const n = (cpu.fpu.top + register.index) & 7;
      cpu.fpu.mantLo[n] = view.getUint32(0, true);
      cpu.fpu.mantHi[n] = view.getUint32(4, true);
      cpu.fpu.signExp[n] = view.getUint16(8, true);
    }
  }
}

/** As QEMU: another selector takes its hidden part along, from the descriptor table or as in real mode; one beyond its table's limit is not loaded. */
function writeSegment(cpu: Cpu, seg: number, selector: number): void {
  if (selector === cpu.selector[seg]) return;
  if (isProtected(cpu)) {
    const bytes = peekDescriptor(cpu, selector);
    if (bytes === null) return;
    const view = new DataView(bytes.buffer);
    const [low, high] = [view.getInt32(0, true), view.getInt32(4, true)];
    loadSegmentCache(cpu, seg, selector, descriptorBase(low, high), descriptorLimit(low, high), high);
  } else {
    const dpl = (cpu.mode & MODE_VM) !== 0 ? 3 : 0;
    loadSegmentCache(cpu, seg, selector, selector << 4, 0xffff, DESC_P | DESC_S | DESC_RW | DESC_A | (dpl << 13));
  }
  updateMode(cpu);
}

/** Null: beyond the limit of GDT or LDT, or not mapped. */
function peekDescriptor(cpu: Cpu, selector: number): Uint8Array | null {
  const local = (selector & 4) !== 0;
  const index = selector & 0xfff8;
  if (index + 7 > (local ? cpu.limit[LDTR] : cpu.gdtLimit) >>> 0) return null;
  return peekMemory(cpu, 'virtual', ((local ? cpu.ldtrBase : cpu.gdtBase) + index) >>> 0, 8);
}
