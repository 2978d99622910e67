import type { Cpu } from './cpu.js';
import { DB, raiseFault, raiseStatic, UD } from './fault.js';
import { flushTlb } from './mmu.js';
import { EIP } from './regs.js';
import { updateMode } from './segments.js';

/** Bits that always read as one (SDM Vol. 3B 17.2). */
const DR6_FIXED = 0xffff0ff0 | 0;
const DR7_FIXED = 0x400;
/** DR6.BS: single step. */
export const DR6_BS = 0x4000;
const CR4_DE = 8;

/** R/W field of DR7. */
const ON_EXECUTE = 0;
const ON_WRITE = 1;
const ON_IO = 2;
const ON_ACCESS = 3;

function kind(dr7: number, n: number): number {
  return (dr7 >>> (16 + 4 * n)) & 3;
}

/** Length in bytes; the encoding 2 means 8. */
function lengthBytes(dr7: number, n: number): number {
  const field = (dr7 >>> (18 + 4 * n)) & 3;
  return field === 2 ? 8 : field + 1;
}

function enabled(dr7: number, n: number): boolean {
  return ((dr7 >>> (2 * n)) & 3) !== 0;
}

/** Reads DR0-DR7; DR4 and DR5 are DR6 and DR7, or #UD with CR4.DE. */
export function readDebugRegister(cpu: Cpu, n: number): number {
  return cpu.dr[alias(cpu, n)];
}

function alias(cpu: Cpu, n: number): number {
  if (n !== 4 && n !== 5) return n;
  if ((cpu.cr4 & CR4_DE) !== 0) raiseFault(UD);
  return n + 2;
}

export function writeDebugRegister(cpu: Cpu, n: number, value: number): void {
  const index = alias(cpu, n);
  if (index === 6) cpu.dr[6] = value | DR6_FIXED;
  else if (index === 7) setDr7(cpu, value);
  else {
    cpu.dr[index] = value;
    if (enabled(cpu.dr[7], index)) flushTlb(cpu);
  }
}

/** DR7 changes from outside MOV too: task switches clear the local bits, SMM resets it. */
export function setDr7(cpu: Cpu, value: number): void {
  const before = cpu.dr[7];
  cpu.dr[7] = value | DR7_FIXED;
  if (((before | cpu.dr[7]) & 0xff) !== 0) flushTlb(cpu);
  updateMode(cpu);
}

/** A data breakpoint lies in this linear page: its accesses take the slow path. */
export function breakpointOnPage(cpu: Cpu, laddr: number): boolean {
  const dr7 = cpu.dr[7];
  if ((dr7 & 0xff) === 0) return false;
  for (let n = 0; n < 4; n++) {
    if (!isData(dr7, n)) continue;
    const first = cpu.dr[n] >>> 12;
    const last = (cpu.dr[n] + lengthBytes(dr7, n) - 1) >>> 12;
    const page = laddr >>> 12;
    if (page >= first && page <= last) return true;
  }
  return false;
}

function isData(dr7: number, n: number): boolean {
  return enabled(dr7, n) && (kind(dr7, n) === ON_WRITE || kind(dr7, n) === ON_ACCESS);
}

/** Notes the first data breakpoint the access touches; #DB comes behind the instruction. */
export function checkWatchpoints(cpu: Cpu, laddr: number, size: number, write: boolean): void {
  const dr7 = cpu.dr[7];
  if (cpu.watchpointHit !== 0) return;
  for (let n = 0; n < 4; n++) {
    if (!isData(dr7, n) || (!write && kind(dr7, n) === ON_WRITE)) continue;
    const first = cpu.dr[n] >>> 0;
    const at = laddr >>> 0;
    if (at + size - 1 < first || at > first + lengthBytes(dr7, n) - 1) continue;
    cpu.watchpointHit = 1 << n;
    cpu.breakBlock = true;
    return;
  }
}

/**
 * Collects the breakpoint bits of DR6 as QEMU does: code breakpoints match on EIP whether enabled or not, data breakpoints on the hits noted.
 * Returns whether an enabled one matched; DR6 changes then, or always with `force`.
 */
export function collectDr6(cpu: Cpu, force: boolean): boolean {
  const dr7 = cpu.dr[7];
  let dr6 = cpu.dr[6] & ~0xf;
  let hit = false;
  for (let n = 0; n < 4; n++) {
    const type = kind(dr7, n);
    const match = type === ON_EXECUTE ? cpu.dr[n] === cpu.r[EIP] : type !== ON_IO && (cpu.watchpointHit & (1 << n)) !== 0;
    if (!match) continue;
    dr6 |= 1 << n;
    if (enabled(dr7, n)) hit = true;
  }
  if (hit || force) cpu.dr[6] = dr6;
  return hit;
}

/** An enabled code breakpoint stands at this linear address. */
export function codeBreakpointAt(cpu: Cpu, laddr: number): boolean {
  const dr7 = cpu.dr[7];
  for (let n = 0; n < 4; n++) if (enabled(dr7, n) && kind(dr7, n) === ON_EXECUTE && cpu.dr[n] === laddr) return true;
  return false;
}

/**
 * For IN, OUT, INS, OUTS, behind the access (EIP is that of the next instruction): raises #DB when an I/O breakpoint
 * covers the ports. Counts as executed.
 */
export function checkIoBreakpoints(cpu: Cpu, port: number, size: number): void {
  const dr7 = cpu.dr[7];
  if ((dr7 & 0xff) === 0) return;
  let hit = 0;
  for (let n = 0; n < 4; n++) {
    if (!enabled(dr7, n) || kind(dr7, n) !== ON_IO) continue;
    const first = cpu.dr[n] >>> 0;
    if (port + size - 1 >= first && port <= first + lengthBytes(dr7, n) - 1) hit |= 1 << n;
  }
  if (hit === 0) return;
  cpu.dr[6] = (cpu.dr[6] & ~0xf) | hit;
  cpu.insnEip = cpu.r[EIP];
  raiseStatic(DB);
}
