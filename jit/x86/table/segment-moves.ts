import type { Cpu } from '../cpu.js';
import { END_NONE, END_SYSTEM, type Exec, type Insn, type Row } from '../insn.js';
import { load16, load32 } from '../mmu.js';
import { MODE_CS32, MODE_PE, MODE_SS32, MODE_VM } from '../mode.js';
import { effectiveAddress, readRm16, writeReg, writeRm16 } from '../operands.js';
import { push, stackTop } from '../push-pop.js';
import { CS, DS, ES, ESP, FS, GS, SS } from '../regs.js';
import { loadSegment } from '../segments.js';
import { openShadow } from './control-far.js';

/** Loads a segment register; SS opens the interrupt shadow. */
function load(cpu: Cpu, seg: number, selector: number): void {
  loadSegment(cpu, seg, selector);
  if (seg === SS) openShadow(cpu);
}

/** Where QEMU ends a TB behind a segment load: SS always, ES and DS in 32-bit protected mode. */
function endsBehind(i: Insn, seg: number): number {
  if (seg === SS) return END_SYSTEM;
  const flat = (i.mode & (MODE_PE | MODE_VM | MODE_CS32)) === (MODE_PE | MODE_CS32);
  return flat && seg < FS ? END_SYSTEM : END_NONE;
}

function pushSegment(seg: number): Exec {
  return (cpu, i) => push(cpu, i, cpu.selector[seg]);
}

/** The stack pointer moves by the old stack's size, behind the load. */
function popSegment(i: Insn, seg: number): Exec {
  i.end = endsBehind(i, seg);
  const mask = (i.mode & MODE_SS32) !== 0 ? -1 : 0xffff;
  return (cpu, insn) => {
    load(cpu, seg, stackTop(cpu, insn));
    const { r } = cpu;
    r[ESP] = (r[ESP] & ~mask) | ((r[ESP] + (insn.size >> 3)) & mask);
  };
}

const movFromSegment: Exec = (cpu, i) => {
  const selector = cpu.selector[i.reg];
  if (i.mod === 3) writeReg(cpu, i.rm, selector, i.size);
  else writeRm16(cpu, i, selector);
};

const movToSegment: Exec = (cpu, i) => load(cpu, i.reg, readRm16(cpu, i));

function movTo(i: Insn): Exec {
  i.end = endsBehind(i, i.reg);
  return movToSegment;
}

function loadFarPointer(i: Insn, seg: number): Exec {
  i.end = endsBehind(i, seg);
  return (cpu, insn) => {
    const laddr = effectiveAddress(cpu, insn);
    const offset = insn.size === 32 ? load32(cpu, laddr) : load16(cpu, laddr);
    load(cpu, seg, load16(cpu, (laddr + (insn.size >> 3)) | 0));
    writeReg(cpu, insn.reg, offset, insn.size);
  };
}

function pushRow(map: '1' | '0f', opcode: number, seg: number): Row {
  return { map, opcode, name: 'push seg', modrm: false, size: 'v', exec: () => pushSegment(seg) };
}

function popRow(map: '1' | '0f', opcode: number, seg: number): Row {
  return { map, opcode, name: 'pop seg', modrm: false, size: 'v', test: 'privileged', exec: (i) => popSegment(i, seg) };
}

function lxxRow(map: '1' | '0f', opcode: number, name: string, seg: number): Row {
  return { map, opcode, name, modrm: true, form: 'mem', size: 'v', test: 'privileged', exec: (i) => loadFarPointer(i, seg) };
}

/** MOV, PUSH, POP with segment registers; LDS and its kind (SDM Vol. 2). */
export const segmentRows: readonly Row[] = [
  pushRow('1', 0x06, ES),
  pushRow('1', 0x0e, CS),
  pushRow('1', 0x16, SS),
  pushRow('1', 0x1e, DS),
  pushRow('0f', 0xa0, FS),
  pushRow('0f', 0xa8, GS),
  popRow('1', 0x07, ES),
  popRow('1', 0x17, SS),
  popRow('1', 0x1f, DS),
  popRow('0f', 0xa1, FS),
  popRow('0f', 0xa9, GS),
  // Rows by register: QEMU refuses the others before it looks at the displacement, which can make the instruction too long.
  ...[ES, CS, SS, DS, FS, GS].map(
    (digit): Row => ({ map: '1', opcode: 0x8c, digit, name: 'mov from seg', modrm: true, size: 'v', exec: () => movFromSegment }),
  ),
  ...[ES, SS, DS, FS, GS].map(
    (digit): Row => ({ map: '1', opcode: 0x8e, digit, name: 'mov to seg', modrm: true, size: 'v', test: 'privileged', exec: movTo }),
  ),
  lxxRow('1', 0xc4, 'les', ES),
  lxxRow('1', 0xc5, 'lds', DS),
  lxxRow('0f', 0xb2, 'lss', SS),
  lxxRow('0f', 0xb4, 'lfs', FS),
  lxxRow('0f', 0xb5, 'lgs', GS),
];
