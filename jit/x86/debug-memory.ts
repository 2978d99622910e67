import { NOT_MEMORY } from '../../src/memory/physical.js';
import type { Cpu } from './cpu.js';
import { addressMask, CR4_PAE, CR4_PSE } from './paging.js';

const PRESENT = 1;
const LARGE = 0x80;
/** No page there. */
const UNMAPPED = -1;

/** A doubleword of memory; 0 where there is none. Devices are not asked. */
function peek32(cpu: Cpu, paddr: number): number {
  if (paddr > 0xffffffff) return 0;
  const at = (paddr & addressMask(cpu)) >>> 0;
  const page = cpu.memory.readPage[at >>> 12];
  return page === NOT_MEMORY ? 0 : cpu.dv.getInt32(page * 4096 + (at & 0xfff), true);
}

/** Physical address of a linear one by the page tables; nothing is changed or checked but presence. -1: no page there. */
export function peekTranslation(cpu: Cpu, laddr: number): number {
  const mask = addressMask(cpu);
  if (cpu.cr0 >= 0) return (laddr & mask) >>> 0;
  if ((cpu.cr4 & CR4_PAE) !== 0) return peekPae(cpu, laddr);
  const pde = peek32(cpu, ((cpu.cr3 & ~0xfff) | ((laddr >>> 20) & 0xffc)) >>> 0);
  if ((pde & PRESENT) === 0) return UNMAPPED;
  if ((pde & LARGE) !== 0 && (cpu.cr4 & CR4_PSE) !== 0)
    return ((pde >>> 13) & 0xff) * 0x100000000 + ((((pde & 0xffc00000) | (laddr & 0x3fffff)) & mask) >>> 0);
  const pte = peek32(cpu, ((pde & ~0xfff) | ((laddr >>> 10) & 0xffc)) >>> 0);
  return (pte & PRESENT) === 0 ? UNMAPPED : (((pte & ~0xfff) | (laddr & 0xfff)) & mask) >>> 0;
}

function peekPae(cpu: Cpu, laddr: number): number {
  const mask = addressMask(cpu);
  const at = ((cpu.cr3 & ~0x1f) | ((laddr >>> 27) & 0x18)) >>> 0;
  let entry = peek32(cpu, at);
  let high = peek32(cpu, at + 4);
  for (const shift of [18, 9]) {
    if ((entry & PRESENT) === 0) return UNMAPPED;
    const next = ((entry & ~0xfff) >>> 0) + (high & 0xf) * 0x100000000 + ((laddr >>> shift) & 0xff8);
    entry = peek32(cpu, next);
    high = peek32(cpu, next + 4);
    if (shift === 18 && (entry & (PRESENT | LARGE)) === (PRESENT | LARGE))
      return (high & 0xf) * 0x100000000 + ((((entry & 0xffe00000) | (laddr & 0x1fffff)) & mask) >>> 0);
  }
  if ((entry & PRESENT) === 0) return UNMAPPED;
  return (high & 0xf) * 0x100000000 + ((((entry & ~0xfff) | (laddr & 0xfff)) & mask) >>> 0);
}

/**
 * Reads memory for a debugger, without any effect on the machine: registers of devices read as 0.
 * @param space whether addresses go through the page tables as they are now
 * @returns null when a page is not mapped
 */
export function peekMemory(cpu: Cpu, space: 'virtual' | 'physical', address: number, lengthBytes: number): Uint8Array | null {
  const bytes = new Uint8Array(lengthBytes);
  const whole = eachPage(cpu, space, address, lengthBytes, (paddr, at, length) => {
    const page = cpu.memory.readPage[paddr >>> 12];
    if (page === NOT_MEMORY) return;
    const from = page * 4096 + (paddr & 0xfff);
    bytes.set(cpu.memory.u8.subarray(from, from + length), at);
  });
  return whole ? bytes : null;
}

/** Writes memory for a debugger; ROM too, as QEMU does. Registers of devices are left alone. False when a page is not mapped. */
export function pokeMemory(cpu: Cpu, space: 'virtual' | 'physical', address: number, bytes: Uint8Array): boolean {
  return eachPage(cpu, space, address, bytes.length, (paddr, at, length) => {
    const page = cpu.memory.readPage[paddr >>> 12];
    if (page === NOT_MEMORY) return;
    cpu.memory.noteWrite(page);
    cpu.memory.u8.set(bytes.subarray(at, at + length), page * 4096 + (paddr & 0xfff));
  });
}

function eachPage(
  cpu: Cpu,
  space: 'virtual' | 'physical',
  address: number,
  lengthBytes: number,
  visit: (paddr: number, at: number, length: number) => void,
): boolean {
  for (let at = 0; at < lengthBytes; ) {
    const here = (address + at) >>> 0;
    const length = Math.min(lengthBytes - at, 4096 - (here & 0xfff));
    const paddr = space === 'physical' ? here : peekTranslation(cpu, here);
    if (paddr === UNMAPPED) return false;
    if (paddr <= 0xffffffff) visit(paddr, at, length);
    at += length;
  }
  return true;
}
