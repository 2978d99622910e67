import { updateCr0, updateCr3, updateCr4 } from '../control-registers.js';
import type { Cpu } from '../cpu.js';
import { cpuid, type FeatureName, hasFeature } from '../cpuid.js';
import { readDebugRegister, writeDebugRegister } from '../debug-registers.js';
import { GP, raiseFault, raiseStatic, UD } from '../fault.js';
import { setArithFlags } from '../flags.js';
import { END_IO, END_SYSTEM, type Exec, type Insn, type Row } from '../insn.js';
import { invalidatePage, load16, load32, store16, store32 } from '../mmu.js';
import { MODE_INHIBIT, MODE_TF } from '../mode.js';
import { MSR_TSC_AUX, readMsr, writeMsr } from '../msr.js';
import { effectiveAddress, readRm16, writeReg, writeRm16 } from '../operands.js';
import { EAX, ECX, EDX, EFLAGS, FLAG_AC, FLAG_CF, FLAGS_ARITH, LDTR, TR } from '../regs.js';
import { loadLdtr, loadTr } from '../segments.js';
import { leaveSmm } from '../smm.js';
import { controlFarRows } from './control-far.js';
import { privileged, protectedOnly } from './privilege.js';
import { segmentRows } from './segment-moves.js';
import { selectorRows } from './selector-checks.js';

const CR4_TSD = 4;
const CR4_PCE = 1 << 8;
/** Bits 0-10 and PCIDE may be set on every model. */
const CR4_COMMON = 0x7ff | (1 << 17);
const CR4_SMEP = 1 << 20;
const CR4_SMAP = 1 << 21;

// Control and debug registers. MOD is ignored by the decoder; CR1, CR5-CR7 do not exist.

const controlRegisterExists = (n: number): boolean => n === 0 || (n >= 2 && n <= 4);

const movFromCr: Exec = (cpu, i) => {
  if (!controlRegisterExists(i.reg)) raiseStatic(UD);
  cpu.r[i.rm] = i.reg === 0 ? cpu.cr0 : i.reg === 2 ? cpu.cr2 : i.reg === 3 ? cpu.cr3 : cpu.cr4;
};

const movToCr: Exec = (cpu, i) => {
  const value = cpu.r[i.rm];
  switch (i.reg) {
    case 0:
      updateCr0(cpu, value);
      break;
    case 2:
      cpu.cr2 = value;
      break;
    case 3:
      updateCr3(cpu, value);
      break;
    case 4:
      writeCr4(cpu, value);
      break;
    default:
      raiseStatic(UD);
  }
};

/** Reserved bits are #GP(0), as on hardware: QEMU leaves the guest by an SVM exit that it never entered. */
function writeCr4(cpu: Cpu, value: number): void {
  const known = CR4_COMMON | (hasFeature(cpu.model, 'smep') ? CR4_SMEP : 0) | (hasFeature(cpu.model, 'smap') ? CR4_SMAP : 0);
  if ((value & ~known) !== 0) raiseFault(GP);
  updateCr4(cpu, value);
}

const movFromDr: Exec = (cpu, i) => {
  cpu.r[i.rm] = readDebugRegister(cpu, i.reg);
};
const movToDr: Exec = (cpu, i) => writeDebugRegister(cpu, i.reg, cpu.r[i.rm]);
const clts: Exec = (cpu) => updateCr0(cpu, cpu.cr0 & ~8);
/** Sets PE, MP, EM, TS; PE cannot be cleared. */
const lmsw: Exec = (cpu, i) => updateCr0(cpu, (readRm16(cpu, i) & 0xf) | (cpu.cr0 & ~0xe));
const smsw: Exec = (cpu, i) => {
  if (i.mod === 3) writeReg(cpu, i.rm, cpu.cr0, i.size);
  else writeRm16(cpu, i, cpu.cr0);
};

// Descriptor tables. With 16-bit operand size the base has 24 bits.

function storeTable(cpu: Cpu, i: Insn, limit: number, base: number): void {
  const laddr = effectiveAddress(cpu, i);
  store16(cpu, laddr, limit & 0xffff);
  store32(cpu, (laddr + 2) | 0, i.size === 16 ? base & 0xffffff : base);
}

const sgdt: Exec = (cpu, i) => storeTable(cpu, i, cpu.gdtLimit, cpu.gdtBase);
const sidt: Exec = (cpu, i) => storeTable(cpu, i, cpu.idtLimit, cpu.idtBase);
const lgdt: Exec = (cpu, i) => {
  const laddr = effectiveAddress(cpu, i);
  const limit = load16(cpu, laddr);
  const base = load32(cpu, (laddr + 2) | 0);
  cpu.gdtLimit = limit;
  cpu.gdtBase = i.size === 16 ? base & 0xffffff : base;
};
const lidt: Exec = (cpu, i) => {
  const laddr = effectiveAddress(cpu, i);
  const limit = load16(cpu, laddr);
  const base = load32(cpu, (laddr + 2) | 0);
  cpu.idtLimit = limit;
  cpu.idtBase = i.size === 16 ? base & 0xffffff : base;
};

function storeSelector(cpu: Cpu, i: Insn, selector: number): void {
  if (i.mod === 3) writeReg(cpu, i.rm, selector, i.size);
  else writeRm16(cpu, i, selector);
}

const sldt: Exec = (cpu, i) => storeSelector(cpu, i, cpu.selector[LDTR]);
const str: Exec = (cpu, i) => storeSelector(cpu, i, cpu.selector[TR]);
const lldt: Exec = (cpu, i) => loadLdtr(cpu, readRm16(cpu, i));
const ltr: Exec = (cpu, i) => loadTr(cpu, readRm16(cpu, i));
const invlpg: Exec = (cpu, i) => invalidatePage(cpu, effectiveAddress(cpu, i));
const nothing: Exec = () => {};

// Time, identification, model-specific registers

const rdtsc: Exec = (cpu) => {
  if ((cpu.cr4 & CR4_TSD) !== 0 && cpu.cpl !== 0) raiseFault(GP);
  const ticks = cpu.board.timestampCounter();
  cpu.r[EAX] = ticks % 0x100000000;
  cpu.r[EDX] = Math.floor(ticks / 0x100000000);
};
const rdtscp: Exec = (cpu, i) => {
  rdtsc(cpu, i);
  cpu.r[ECX] = cpu.msr[2 * MSR_TSC_AUX];
};
/** No counters: #UD where it is allowed, found by QEMU without giving the instruction's count back. */
const rdpmc: Exec = (cpu) => {
  if ((cpu.cr4 & CR4_PCE) === 0 && cpu.cpl !== 0) raiseFault(GP);
  raiseStatic(UD);
};
const rdrand: Exec = (cpu, i) => {
  if (i.lock || i.rep !== 0) raiseStatic(UD);
  const bytes = cpu.board.random(4);
  const value = bytes[0] | (bytes[1] << 8) | (bytes[2] << 16) | (bytes[3] << 24);
  writeReg(cpu, i.rm, value, i.size);
  setArithFlags(cpu, FLAG_CF);
};

/** #UD without the feature. */
function withFeature(feature: FeatureName, exec: Exec): Exec {
  return (cpu, i) => {
    if (!hasFeature(cpu.model, feature)) raiseStatic(UD);
    exec(cpu, i);
  };
}

/** #UD without the feature or above CPL 0. */
function kernelFeature(feature: FeatureName, exec: Exec): Exec {
  return withFeature(feature, (cpu, i) => {
    if (cpu.cpl !== 0) raiseStatic(UD);
    exec(cpu, i);
  });
}

const setAc: Exec = (cpu) => {
  cpu.r[EFLAGS] |= FLAG_AC;
};
const clearAc: Exec = (cpu) => {
  cpu.r[EFLAGS] &= ~FLAG_AC;
};
/** RDPKRU, WRPKRU: CR4.PKE is never set; QEMU finds that out while executing. */
const protectionKeys: Exec = (_cpu, i) => (i.lock || i.rep !== 0 || i.opsizePrefix ? raiseStatic(UD) : raiseFault(UD));

// Waiting

const hlt: Exec = (cpu) => {
  cpu.mode &= ~MODE_INHIBIT;
  cpu.halted = true;
};
/** QEMU lets its main loop run here, which a log of ours need not show; what shows is that PAUSE is not single-stepped. */
const pause: Exec = (cpu) => {
  if ((cpu.mode & MODE_TF) !== 0) cpu.exitSlice = true;
};
const monitor: Exec = (cpu) => {
  if (cpu.r[ECX] !== 0) raiseFault(GP);
};
/** With one processor it halts. */
const mwait: Exec = (cpu, i) => {
  if (cpu.r[ECX] !== 0) raiseFault(GP);
  hlt(cpu, i);
};
const rsm: Exec = (cpu) => {
  if (!cpu.smm) raiseStatic(UD);
  leaveSmm(cpu);
};

const base = { map: '0f', modrm: false, size: 'v', test: 'privileged' } as const;
const rm = { ...base, modrm: true } as const;

/** Instructions of the system side (SDM Vol. 2; checks and counting as QEMU 7.2). */
export const systemRows: readonly Row[] = [
  ...controlFarRows,
  ...segmentRows,
  ...selectorRows,
  { ...rm, name: 'sldt', opcode: 0x00, digit: 0, exec: () => protectedOnly(sldt) },
  { ...rm, name: 'str', opcode: 0x00, digit: 1, exec: () => protectedOnly(str) },
  { ...rm, name: 'lldt', opcode: 0x00, digit: 2, exec: () => protectedOnly(privileged(lldt)) },
  { ...rm, name: 'ltr', opcode: 0x00, digit: 3, exec: () => protectedOnly(privileged(ltr)) },
  { ...rm, name: 'sgdt', opcode: 0x01, digit: 0, form: 'mem', exec: () => sgdt },
  { ...rm, name: 'sidt', opcode: 0x01, digit: 1, form: 'mem', exec: () => sidt },
  { ...rm, name: 'lgdt', opcode: 0x01, digit: 2, form: 'mem', exec: () => privileged(lgdt) },
  { ...rm, name: 'lidt', opcode: 0x01, digit: 3, form: 'mem', exec: () => privileged(lidt) },
  { ...rm, name: 'smsw', opcode: 0x01, digit: 4, exec: () => smsw },
  { ...rm, name: 'lmsw', opcode: 0x01, digit: 6, end: END_SYSTEM, exec: () => privileged(lmsw) },
  { ...rm, name: 'invlpg', opcode: 0x01, digit: 7, form: 'mem', end: END_SYSTEM, exec: () => privileged(invlpg) },
  { ...rm, name: 'monitor', opcode: 0x01, digit: 1, rm: 0, form: 'reg', exec: () => kernelFeature('monitor', monitor) },
  { ...rm, name: 'mwait', opcode: 0x01, digit: 1, rm: 1, form: 'reg', end: END_SYSTEM, exec: () => kernelFeature('monitor', mwait) },
  { ...rm, name: 'clac', opcode: 0x01, digit: 1, rm: 2, form: 'reg', end: END_SYSTEM, exec: () => kernelFeature('smap', clearAc) },
  { ...rm, name: 'stac', opcode: 0x01, digit: 1, rm: 3, form: 'reg', end: END_SYSTEM, exec: () => kernelFeature('smap', setAc) },
  { ...rm, name: 'rdpkru', opcode: 0x01, digit: 5, rm: 6, form: 'reg', exec: () => protectionKeys },
  { ...rm, name: 'wrpkru', opcode: 0x01, digit: 5, rm: 7, form: 'reg', exec: () => protectionKeys },
  { ...rm, name: 'rdtscp', opcode: 0x01, digit: 7, rm: 1, form: 'reg', end: END_IO, exec: () => withFeature('rdtscp', rdtscp) },
  { ...base, name: 'clts', opcode: 0x06, end: END_SYSTEM, exec: () => privileged(clts) },
  { ...base, name: 'invd', opcode: 0x08, exec: () => privileged(nothing) },
  { ...base, name: 'wbinvd', opcode: 0x09, exec: () => privileged(nothing) },
  { ...rm, name: 'mov from cr', opcode: 0x20, size: 32, end: END_IO, exec: () => privileged(movFromCr) },
  { ...rm, name: 'mov from dr', opcode: 0x21, size: 32, exec: () => privileged(movFromDr) },
  { ...rm, name: 'mov to cr', opcode: 0x22, size: 32, end: END_SYSTEM, exec: () => privileged(movToCr) },
  { ...rm, name: 'mov to dr', opcode: 0x23, size: 32, end: END_SYSTEM, exec: () => privileged(movToDr) },
  { ...base, name: 'wrmsr', opcode: 0x30, end: END_SYSTEM, exec: () => privileged(writeMsr) },
  { ...base, name: 'rdtsc', opcode: 0x31, end: END_IO, exec: () => rdtsc },
  { ...base, name: 'rdmsr', opcode: 0x32, exec: () => privileged(readMsr) },
  { ...base, name: 'rdpmc', opcode: 0x33, end: END_SYSTEM, exec: () => rdpmc },
  { ...base, name: 'cpuid', opcode: 0xa2, exec: () => cpuid },
  { ...base, name: 'rsm', opcode: 0xaa, end: END_SYSTEM, writes: FLAGS_ARITH, exec: () => rsm },
  {
    ...rm,
    name: 'rdrand',
    opcode: 0xc7,
    digit: 6,
    form: 'reg',
    end: END_IO,
    writes: FLAGS_ARITH,
    exec: () => withFeature('rdrand', rdrand),
  },
  { ...base, map: '1', name: 'hlt', opcode: 0xf4, end: END_SYSTEM, exec: () => privileged(hlt) },
  { ...base, map: '1', name: 'pause', opcode: 0x90, prefix: 'f3', lockable: false, end: END_SYSTEM, exec: () => pause },
];
