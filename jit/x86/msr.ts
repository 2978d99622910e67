import type { Cpu } from './cpu.js';
import { hasFeature } from './cpuid.js';
import { GP, raiseFault } from './fault.js';
import { EAX, ECX, EDX } from './regs.js';

/** Slots of Cpu.msr: two doublewords each, low half first. */
export const MSR_SYSENTER_CS = 0;
export const MSR_SYSENTER_ESP = 1;
export const MSR_SYSENTER_EIP = 2;
export const MSR_EFER = 3;
const STAR = 4;
const PAT = 5;
const PKRS = 6;
const HSAVE_PA = 7;
const MTRR_DEFTYPE = 8;
const MCG_STATUS = 9;
const MCG_CTL = 10;
export const MSR_TSC_AUX = 11;
const MISC_ENABLE = 12;
const BNDCFGS = 13;
/** 11 fixed-range MTRRs: 64K, 2 x 16K, 8 x 4K. */
const MTRR_FIXED = 14;
/** 8 pairs of base and mask. */
const MTRR_VARIABLE = 25;
/** 10 banks of CTL, STATUS, ADDR, MISC. */
const MCE_BANKS = 41;
export const MSR_SLOTS = 81;

/** IA32_MCG_CAP of QEMU's TCG: 10 banks, MCG_CTL present, software error recovery. */
const MCG_CAP_LOW = 0x0100010a;

/** Numbers of the registers that are plain storage (SDM Vol. 4). */
const PLAIN: ReadonlyMap<number, number> = new Map([
  [0x174, MSR_SYSENTER_CS],
  [0x175, MSR_SYSENTER_ESP],
  [0x176, MSR_SYSENTER_EIP],
  [0xc0000081, STAR],
  [0x277, PAT],
  [0x6e1, PKRS],
  [0xc0010117, HSAVE_PA],
  [0x2ff, MTRR_DEFTYPE],
  [0x17a, MCG_STATUS],
  [0x1a0, MISC_ENABLE],
  [0xd90, BNDCFGS],
  [0x250, MTRR_FIXED],
  [0x258, MTRR_FIXED + 1],
  [0x259, MTRR_FIXED + 2],
  ...Array.from({ length: 8 }, (_, k): [number, number] => [0x268 + k, MTRR_FIXED + 3 + k]),
  ...Array.from({ length: 16 }, (_, k): [number, number] => [0x200 + k, MTRR_VARIABLE + k]),
]);

const APIC_BASE = 0x1b;
const EFER = 0xc0000080;
const TSC_AUX = 0xc0000103;
const MC0_CTL = 0x400;
const MCE_REGISTERS = 40;

/** Machine check banks exist only with the MCA feature. */
function mceRegisters(cpu: Cpu): number {
  return hasFeature(cpu.model, 'mca') ? MCE_REGISTERS : 0;
}

/** RESET# of the registers that INIT# keeps. MCG_CTL and the machine check banks keep what they hold, as in QEMU. */
export function resetMsrs(cpu: Cpu): void {
  cpu.msr.fill(0, 0, 2 * MCG_CTL);
  cpu.msr.fill(0, 2 * MSR_TSC_AUX, 2 * MCE_BANKS);
  set(cpu, PAT, 0x00070406, 0x00070406);
  // Fast strings; MONITOR is enabled where the processor has it.
  set(cpu, MISC_ENABLE, hasFeature(cpu.model, 'monitor') ? 0x40001 : 1, 0);
}

/** A processor's very first state of the registers that nothing resets. */
export function powerUpMsrs(cpu: Cpu): void {
  set(cpu, MCG_CTL, 0xffffffff, 0xffffffff);
  for (let bank = 0; bank < MCE_REGISTERS; bank += 4) set(cpu, MCE_BANKS + bank, 0xffffffff, 0xffffffff);
}

/** INIT# and RESET#. */
export function initialiseMsrs(cpu: Cpu): void {
  set(cpu, MSR_EFER, 0, 0);
  set(cpu, BNDCFGS, 0, 0);
  set(cpu, MTRR_DEFTYPE, 0, 0);
  cpu.msr.fill(0, 2 * MTRR_FIXED, 2 * MCE_BANKS);
}

function set(cpu: Cpu, slot: number, low: number, high: number): void {
  cpu.msr[2 * slot] = low;
  cpu.msr[2 * slot + 1] = high;
}

/** WRMSR behind its privilege check. Unknown registers ignore it, as in QEMU. */
export function writeMsr(cpu: Cpu): void {
  const low = cpu.r[EAX] >>> 0;
  const high = cpu.r[EDX] >>> 0;
  const number = cpu.r[ECX] >>> 0;
  if (number === APIC_BASE) return cpu.board.writeApicBase(low);
  if (number === EFER) return writeEfer(cpu, low);
  if (number === TSC_AUX) return set(cpu, MSR_TSC_AUX, low, high);
  if (number === 0x17b) {
    if (mceRegisters(cpu) === 0) return;
    if ((low === 0 && high === 0) || (low === 0xffffffff && high === 0xffffffff)) set(cpu, MCG_CTL, low, high);
    return;
  }
  const slot = PLAIN.get(number);
  if (slot !== undefined) return writePlain(cpu, slot, low, high);
  if (number >= MC0_CTL && number < MC0_CTL + mceRegisters(cpu)) {
    const offset = number - MC0_CTL;
    const legal = (offset & 3) !== 0 || (low === 0 && high === 0) || (low === 0xffffffff && high === 0xffffffff);
    if (legal) set(cpu, MCE_BANKS + offset, low, high);
  }
}

function writePlain(cpu: Cpu, slot: number, low: number, high: number): void {
  switch (slot) {
    case MSR_SYSENTER_CS:
      return set(cpu, slot, low & 0xffff, 0);
    case MSR_SYSENTER_ESP:
    case MSR_SYSENTER_EIP:
      return set(cpu, slot, low, 0);
    case PKRS:
      if (high !== 0) raiseFault(GP);
      return set(cpu, slot, low, 0);
    case HSAVE_PA:
      if ((low & 0xfff) !== 0 || high > (cpu.model === 'max' ? 0xf : 0)) raiseFault(GP);
      return set(cpu, slot, low, high);
    default:
      return set(cpu, slot, low, high);
  }
}

function writeEfer(cpu: Cpu, low: number): void {
  const slot = 2 * MSR_EFER;
  const writable = (hasFeature(cpu.model, 'syscall') ? 1 : 0) | (hasFeature(cpu.model, 'nx') ? 1 << 11 : 0);
  cpu.msr[slot] = (cpu.msr[slot] & ~writable) | (low & writable);
}

/** RDMSR behind its privilege check. Unknown registers read as zero, as in QEMU. */
export function readMsr(cpu: Cpu): void {
  const number = cpu.r[ECX] >>> 0;
  const slot = number === EFER ? MSR_EFER : PLAIN.get(number);
  if (slot !== undefined) return result(cpu, cpu.msr[2 * slot], cpu.msr[2 * slot + 1]);
  if (number >= MC0_CTL && number < MC0_CTL + mceRegisters(cpu)) {
    const at = 2 * (MCE_BANKS + number - MC0_CTL);
    return result(cpu, cpu.msr[at], cpu.msr[at + 1]);
  }
  switch (number) {
    case APIC_BASE:
      return result(cpu, cpu.board.readApicBase(), 0);
    case 0x198: // IA32_PERF_STATUS: 1000, multiplier 4
      return result(cpu, 1000, 4 << 8);
    case 0x34:
      return result(cpu, cpu.smiCount, 0);
    case 0xfe: // IA32_MTRRCAP: 8 variable, fixed ranges, write combining; only with the MTRR feature
      return result(cpu, hasFeature(cpu.model, 'mtrr') ? 0x508 : 0, 0);
    case 0x179:
      return result(cpu, mceRegisters(cpu) === 0 ? 0 : MCG_CAP_LOW, 0);
    case 0x17b:
      return mceRegisters(cpu) === 0 ? result(cpu, 0, 0) : result(cpu, cpu.msr[2 * MCG_CTL], cpu.msr[2 * MCG_CTL + 1]);
    case 0x8b: // IA32_UCODE_REV
      return hasFeature(cpu.model, 'amd') ? result(cpu, 0x01000065, 0) : result(cpu, 0, 1);
    case 0x35: // one core with one thread
      return result(cpu, 0x10001, 0);
    default:
      return result(cpu, 0, 0);
  }
}

function result(cpu: Cpu, low: number, high: number): void {
  cpu.r[EAX] = low;
  cpu.r[EDX] = high;
}
