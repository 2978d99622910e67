import { updateCr0, updateCr3, updateCr4 } from './control-registers.js';
import type { Cpu } from './cpu.js';
import { setDr7, writeDebugRegister } from './debug-registers.js';
import { loadEflags } from './eflags.js';
import { readEflags } from './flags.js';
import { flushTlb, storePhysical32 } from './mmu.js';
import { CS, DS, EAX, EBP, EBX, ECX, EDI, EDX, EIP, ES, ESI, ESP, FLAG_DF, FS, GS, LDTR, SEG_BASE, SS, TR } from './regs.js';
import { loadSegmentCache, updateMode } from './segments.js';

/** SMRAM state save map of a 32-bit processor, offsets from SMBASE + 8000h (SDM Vol. 3C table 31-1 and QEMU 7.2 for the hidden parts). */
const REVISION = 0x20000;
const REGISTERS: readonly (readonly [offset: number, register: number])[] = [
  [0x7ff0, EIP],
  [0x7fec, EDI],
  [0x7fe8, ESI],
  [0x7fe4, EBP],
  [0x7fe0, ESP],
  [0x7fdc, EBX],
  [0x7fd8, EDX],
  [0x7fd4, ECX],
  [0x7fd0, EAX],
];
/** Every flag but the arithmetic ones and DF, which come anyway. */
const ALL_FLAGS = ~(0x8d5 | FLAG_DF);
/** P, S, writable, accessed, G. */
const FLAT = 0x809300;

/** Attributes as the map holds them, and back. */
function pack(attributes: number): number {
  return (attributes >>> 8) & 0xf0ff;
}

function unpack(packed: number): number {
  return (packed & 0xf0ff) << 8;
}

/** Offset of attributes, limit (+4) and base (+8) of ES..GS. */
function segmentOffset(seg: number): number {
  return seg < 3 ? 0x7f84 + seg * 12 : 0x7f2c + (seg - 3) * 12;
}

/** Takes an SMI: saves the state in SMRAM and starts at SMBASE + 8000h. */
export function enterSmm(cpu: Cpu): void {
  cpu.smiCount = (cpu.smiCount + 1) >>> 0;
  switchSmm(cpu, true);
  if (cpu.nmiMasked) cpu.smmInsideNmi = true;
  else cpu.nmiMasked = true;
  saveState(cpu);

  loadEflags(cpu, 0, ALL_FLAGS);
  cpu.r[EIP] = 0x8000;
  updateCr0(cpu, cpu.cr0 & ~(0x80000000 | 1 | 4 | 8));
  updateCr4(cpu, 0);
  setDr7(cpu, 0x400);
  loadSegmentCache(cpu, CS, (cpu.smbase >>> 4) & 0xffff, cpu.smbase, -1, FLAT);
  for (const seg of [DS, ES, SS, FS, GS]) loadSegmentCache(cpu, seg, 0, 0, -1, FLAT);
  updateMode(cpu);
}

function switchSmm(cpu: Cpu, active: boolean): void {
  cpu.smm = active;
  cpu.board.smmChanged(active);
  // The A20 gate has no say in system management mode.
  if (cpu.a20Mask !== -1) flushTlb(cpu);
}

function saveState(cpu: Cpu): void {
  const base = cpu.smbase + 0x8000;
  const put = (offset: number, value: number) => storePhysical32(cpu, base + offset, value);
  put(0x7ffc, cpu.cr0);
  put(0x7ff8, cpu.cr3);
  put(0x7ff4, readEflags(cpu));
  for (const [offset, register] of REGISTERS) put(offset, cpu.r[register]);
  put(0x7fcc, cpu.dr[6]);
  put(0x7fc8, cpu.dr[7]);
  put(0x7fc4, cpu.selector[TR]);
  put(0x7f64, cpu.trBase);
  put(0x7f60, cpu.limit[TR]);
  put(0x7f5c, pack(cpu.attributes[TR]));
  put(0x7fc0, cpu.selector[LDTR]);
  put(0x7f80, cpu.ldtrBase);
  put(0x7f7c, cpu.limit[LDTR]);
  put(0x7f78, pack(cpu.attributes[LDTR]));
  put(0x7f74, cpu.gdtBase);
  put(0x7f70, cpu.gdtLimit);
  put(0x7f58, cpu.idtBase);
  put(0x7f54, cpu.idtLimit);
  for (let seg = 0; seg < 6; seg++) {
    put(0x7fa8 + seg * 4, cpu.selector[seg]);
    put(segmentOffset(seg) + 8, cpu.r[SEG_BASE + seg]);
    put(segmentOffset(seg) + 4, cpu.limit[seg]);
    put(segmentOffset(seg), pack(cpu.attributes[seg]));
  }
  put(0x7f14, cpu.cr4);
  put(0x7efc, REVISION);
  put(0x7ef8, cpu.smbase);
}

/** RSM. */
export function leaveSmm(cpu: Cpu): void {
  const base = cpu.smbase + 0x8000;
  const get = (offset: number) => cpu.memory.read((base + offset) >>> 0, 4) | 0;
  updateCr0(cpu, get(0x7ffc));
  updateCr3(cpu, get(0x7ff8));
  loadEflags(cpu, get(0x7ff4), ALL_FLAGS);
  for (const [offset, register] of REGISTERS) cpu.r[register] = get(offset);
  writeDebugRegister(cpu, 6, get(0x7fcc));
  writeDebugRegister(cpu, 7, get(0x7fc8));
  cpu.selector[TR] = get(0x7fc4) & 0xffff;
  cpu.trBase = get(0x7f64);
  cpu.limit[TR] = get(0x7f60);
  cpu.attributes[TR] = unpack(get(0x7f5c));
  cpu.selector[LDTR] = get(0x7fc0) & 0xffff;
  cpu.ldtrBase = get(0x7f80);
  cpu.limit[LDTR] = get(0x7f7c);
  cpu.attributes[LDTR] = unpack(get(0x7f78));
  cpu.gdtBase = get(0x7f74);
  cpu.gdtLimit = get(0x7f70);
  cpu.idtBase = get(0x7f58);
  cpu.idtLimit = get(0x7f54);
  for (let seg = 0; seg < 6; seg++) {
    const at = segmentOffset(seg);
    loadSegmentCache(cpu, seg, get(0x7fa8 + seg * 4) & 0xffff, get(at + 8), get(at + 4), unpack(get(at)));
  }
  updateCr4(cpu, get(0x7f14));
  if ((get(0x7efc) & 0x20000) !== 0) cpu.smbase = get(0x7ef8);
  if (!cpu.smmInsideNmi) cpu.nmiMasked = false;
  cpu.smmInsideNmi = false;
  switchSmm(cpu, false);
  updateMode(cpu);
}
