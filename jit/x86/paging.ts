import { NOT_MEMORY } from '../../src/memory/physical.js';
import type { Cpu } from './cpu.js';
import { PF, raiseFault } from './fault.js';
import { MSR_EFER } from './msr.js';
import { EFLAGS, FLAG_AC } from './regs.js';

export const READ = 0;
export const WRITE = 1;
export const EXECUTE = 2;
/** Kind of access, as it shows in the page fault's error code. */
export type Access = typeof READ | typeof WRITE | typeof EXECUTE;

/** CR0.WP and the CR4 bits that paging depends on (SDM Vol. 3A 2.5). */
export const CR0_WP = 1 << 16;
export const CR4_PSE = 1 << 4;
export const CR4_PAE = 1 << 5;
export const CR4_SMEP = 1 << 20;
export const CR4_SMAP = 1 << 21;
const EFER_NXE = 1 << 11;

/** Page table entry bits, SDM Vol. 3A tables 4-5, 4-6. */
const P = 1;
const RW = 2;
const US = 4;
const A = 0x20;
const D = 0x40;
const PS = 0x80;
/** Page fault error code: SDM Vol. 3A 4.7. */
const ERROR_P = 1;
const ERROR_W = 2;
const ERROR_U = 4;
const ERROR_RSVD = 8;
const ERROR_ID = 16;

/** What the A20 gate leaves of physical addresses: everything in system management mode, as in QEMU. */
export function addressMask(cpu: Cpu): number {
  return cpu.smm ? -1 : cpu.a20Mask;
}

/** Reads a doubleword of physical memory as the page walker does; `paddr` below 2^36, beyond 4 GiB there is nothing. */
function readEntry(cpu: Cpu, paddr: number): number {
  return paddr > 0xffffffff ? 0 : cpu.memory.read((paddr & addressMask(cpu)) >>> 0, 4) | 0;
}

/** Writes a doubleword of physical memory on behalf of the CPU (page tables, SMRAM). */
export function storePhysical32(cpu: Cpu, paddr: number, value: number): void {
  const masked = (paddr & addressMask(cpu)) >>> 0;
  const page = cpu.memory.writePage[masked >>> 12];
  if (page === NOT_MEMORY) cpu.memory.write(masked, value >>> 0, 4);
  else {
    const backing = page * 4096 + (masked & 0xfff);
    cpu.memory.markWritten(page);
    if (cpu.memory.codePage[page] !== 0) cpu.codeWatcher?.storeTo(backing, 4);
    cpu.dv.setInt32(backing, value, true);
  }
}

function setBits(cpu: Cpu, paddr: number, entry: number, bits: number): void {
  if ((bits & ~entry) !== 0) storePhysical32(cpu, paddr, entry | bits);
}

/** What the last walk found besides the address. One per process: walks do not nest. */
export const walk = {
  /** The page may be accessed by CPL 3. */
  user: false,
  /** A page of 2 or 4 MiB. */
  large: false,
};

/**
 * Physical address of a linear one, with the access checked and the accessed and dirty bits set as QEMU 7.2 does (SDM Vol. 3A chapter 4).
 * `user`: the access is made with CPL 3. Throws #PF with CR2 set. PAE can give addresses of 4 GiB and above.
 */
export function translate(cpu: Cpu, laddr: number, access: Access, user: boolean): number {
  walk.large = false;
  walk.user = true;
  if (cpu.cr0 >= 0) return (laddr & addressMask(cpu)) >>> 0;
  return (cpu.cr4 & CR4_PAE) !== 0 ? walkPae(cpu, laddr, access, user) : walk32(cpu, laddr, access, user);
}

function pageFault(cpu: Cpu, laddr: number, access: Access, user: boolean, code: number): never {
  let error = code;
  if (user) error |= ERROR_U;
  if (access === WRITE) error |= ERROR_W;
  if (access === EXECUTE && (noExecute(cpu) || (cpu.cr4 & CR4_SMEP) !== 0)) error |= ERROR_ID;
  cpu.cr2 = laddr | 0;
  raiseFault(PF, error);
}

function noExecute(cpu: Cpu): boolean {
  return (cpu.cr4 & CR4_PAE) !== 0 && (cpu.msr[2 * MSR_EFER] & EFER_NXE) !== 0;
}

/** SMAP: supervisor data accesses to user pages fault unless EFLAGS.AC is set (implicit ones from CPL 3 always). */
function smapForbids(cpu: Cpu): boolean {
  return (cpu.cr4 & CR4_SMAP) !== 0 && (cpu.cpl === 3 || (cpu.r[EFLAGS] & FLAG_AC) === 0);
}

/** The last checks, on the rights all levels share (US and RW of `rights`; `nx`: some level forbids execution). */
function checkRights(cpu: Cpu, laddr: number, access: Access, user: boolean, rights: number, nx: boolean): void {
  const userPage = (rights & US) !== 0;
  walk.user = userPage;
  let allowed: boolean;
  if (user && !userPage) allowed = false;
  else if (access === EXECUTE) allowed = !nx && (user || !userPage || (cpu.cr4 & CR4_SMEP) === 0);
  else if (!user && userPage && smapForbids(cpu)) allowed = false;
  else allowed = access === READ || (rights & RW) !== 0 || (!user && (cpu.cr0 & CR0_WP) === 0);
  if (!allowed) pageFault(cpu, laddr, access, user, ERROR_P);
}

function walk32(cpu: Cpu, laddr: number, access: Access, user: boolean): number {
  const pdeAddress = ((cpu.cr3 & ~0xfff) | ((laddr >>> 20) & 0xffc)) >>> 0;
  const pde = readEntry(cpu, pdeAddress);
  if ((pde & P) === 0) pageFault(cpu, laddr, access, user, 0);
  const used = access === WRITE ? A | D : A;
  if ((pde & PS) !== 0 && (cpu.cr4 & CR4_PSE) !== 0) {
    if ((pde & 0x200000) !== 0) pageFault(cpu, laddr, access, user, ERROR_RSVD);
    checkRights(cpu, laddr, access, user, pde, false);
    setBits(cpu, pdeAddress, pde, used);
    walk.large = true;
    const high = (pde >>> 13) & 0xff;
    return high * 0x100000000 + ((((pde & 0xffc00000) | (laddr & 0x3fffff)) & addressMask(cpu)) >>> 0);
  }
  setBits(cpu, pdeAddress, pde, A);
  const pteAddress = ((pde & ~0xfff) | ((laddr >>> 10) & 0xffc)) >>> 0;
  const pte = readEntry(cpu, pteAddress);
  if ((pte & P) === 0) pageFault(cpu, laddr, access, user, 0);
  checkRights(cpu, laddr, access, user, pde & pte, false);
  setBits(cpu, pteAddress, pte, used);
  return (((pte & ~0xfff) | (laddr & 0xfff)) & addressMask(cpu)) >>> 0;
}

/** Reserved bits of the high half of a PAE entry: above the physical address width, 52-62, and NX when it is off. */
function paeReserved(cpu: Cpu): number {
  const width = cpu.model === 'max' ? ~0xf : -1;
  return noExecute(cpu) ? width & 0x7fffffff : width;
}

function walkPae(cpu: Cpu, laddr: number, access: Access, user: boolean): number {
  const reserved = paeReserved(cpu);
  const pdpteAddress = ((cpu.cr3 & ~0x1f) | ((laddr >>> 27) & 0x18)) >>> 0;
  const pdpte = readEntry(cpu, pdpteAddress);
  const pdpteHigh = readEntry(cpu, pdpteAddress + 4);
  if ((pdpte & P) === 0) pageFault(cpu, laddr, access, user, 0);
  if ((pdpteHigh & (reserved | 0x80000000)) !== 0) pageFault(cpu, laddr, access, user, ERROR_RSVD);
  setBits(cpu, pdpteAddress, pdpte, A);

  const pdeAddress = ((pdpte & ~0xfff) >>> 0) + (pdpteHigh & 0xf) * 0x100000000 + ((laddr >>> 18) & 0xff8);
  const pde = readEntry(cpu, pdeAddress);
  const pdeHigh = readEntry(cpu, pdeAddress + 4);
  if ((pde & P) === 0) pageFault(cpu, laddr, access, user, 0);
  if ((pdeHigh & reserved) !== 0) pageFault(cpu, laddr, access, user, ERROR_RSVD);
  const used = access === WRITE ? A | D : A;
  if ((pde & PS) !== 0) {
    if ((pde & 0x1fe000) !== 0) pageFault(cpu, laddr, access, user, ERROR_RSVD);
    checkRights(cpu, laddr, access, user, pde, pdeHigh < 0);
    setBits(cpu, pdeAddress, pde, used);
    walk.large = true;
    return (pdeHigh & 0xf) * 0x100000000 + ((((pde & 0xffe00000) | (laddr & 0x1fffff)) & addressMask(cpu)) >>> 0);
  }
  setBits(cpu, pdeAddress, pde, A);

  const pteAddress = ((pde & ~0xfff) >>> 0) + (pdeHigh & 0xf) * 0x100000000 + ((laddr >>> 9) & 0xff8);
  const pte = readEntry(cpu, pteAddress);
  const pteHigh = readEntry(cpu, pteAddress + 4);
  if ((pte & P) === 0) pageFault(cpu, laddr, access, user, 0);
  if ((pteHigh & reserved) !== 0) pageFault(cpu, laddr, access, user, ERROR_RSVD);
  checkRights(cpu, laddr, access, user, pde & pte, pdeHigh < 0 || pteHigh < 0);
  setBits(cpu, pteAddress, pte, used);
  return (pteHigh & 0xf) * 0x100000000 + ((((pte & ~0xfff) | (laddr & 0xfff)) & addressMask(cpu)) >>> 0);
}
