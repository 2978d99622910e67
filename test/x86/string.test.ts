// Oracle: QEMU run (7.2.22): instruction counts between events of recordings of REP instructions; manual (Intel SDM Vol. 2, REP)
import { describe, expect, it } from 'vitest';
import { decodeInsn } from '../../jit/x86/decoder.js';
import { guestFault } from '../../jit/x86/fault.js';
import { setArithFlags } from '../../jit/x86/flags.js';
import { MODE_TF } from '../../jit/x86/mode.js';
import { EAX, ECX, EDI, EFLAGS, EIP, ESI, FLAG_DF, FLAG_ZF, LEFT } from '../../jit/x86/regs.js';
import type { TestCase } from '../../tools/x86-gen/case.js';
import { WINDOW_BYTES } from '../../tools/x86-gen/case.js';
import { InterpreterJudge } from '../../tools/x86-gen/interpreter.js';

const SOURCE = 0x300f80;
const TARGET = 0x300fc0;
const START = 0x310830;

const judge = new InterpreterJudge('qemu32');
const { cpu } = judge;

function begin(ecx: number, esi = SOURCE, edi = TARGET): void {
  const memory = new Uint8Array(WINDOW_BYTES).map((_, k) => k * 7 + 1);
  const c: TestCase = {
    name: 'none',
    mode: 'cs32',
    code: new Uint8Array(0),
    regs: Int32Array.of(0x11223344, ecx, 0, 0, 0x301000, 0, esi, edi),
    eflags: 2,
    segments: ['flat', 'flat', 'flat', 'flat'],
    memory,
    fx: null,
  };
  judge.run(c);
  cpu.r[EIP] = START;
}

/** Executes until EIP leaves the instruction; `slice` instructions at a time. Returns how many were counted. */
function execute(bytes: readonly number[], slice: number): number {
  const insn = decodeInsn(Uint8Array.from(bytes), 0, cpu.mode);
  let counted = 0;
  do {
    cpu.insnEip = START;
    cpu.r[EIP] = START + insn.length;
    cpu.breakBlock = false;
    cpu.r[LEFT] = slice - 1;
    try {
      insn.exec(cpu, insn);
    } finally {
      counted += slice - cpu.r[LEFT];
    }
  } while (cpu.r[EIP] === START);
  return counted;
}

function bytesAt(laddr: number, n: number): number[] {
  return Array.from(cpu.memory.u8.subarray(laddr, laddr + n));
}

describe('repeated string instructions', () => {
  it.each([1, 2, 3, 7, 1000])('count one per iteration and one for the pass that finds ECX 0, slices of %i', (slice) => {
    for (const opcode of [0xa4, 0xaa, 0xac]) {
      for (const n of [0, 1, 2, 20]) {
        begin(n);
        expect(execute([0xf3, opcode], slice)).toBe(n + 1);
        expect(cpu.r[ECX]).toBe(0);
        expect(cpu.r[EIP]).toBe(START + 2);
      }
    }
  });

  it.each([1, 4, 1000])('count only the iterations when a comparison ends them, slices of %i', (slice) => {
    begin(20);
    for (let k = 0; k < 20; k++) cpu.memory.u8[TARGET + k] = k < 5 ? 0x44 : 1;
    expect(execute([0xf3, 0xae], slice)).toBe(6);
    expect([cpu.r[ECX], cpu.r[EDI]]).toEqual([14, TARGET + 6]);
    begin(20);
    cpu.memory.u8[TARGET + 9] = 0x44;
    for (let k = 0; k < 9; k++) cpu.memory.u8[TARGET + k] = 1;
    expect(execute([0xf2, 0xae], slice)).toBe(10);
  });

  it('count the last iteration once when it brings both ECX 0 and the ending flag', () => {
    begin(3);
    for (let k = 0; k < 3; k++) cpu.memory.u8[TARGET + k] = k < 2 ? 0x44 : 1;
    expect(execute([0xf3, 0xae], 100)).toBe(3);
    expect(cpu.r[ECX]).toBe(0);
  });

  it('count N + 1 when a comparison runs out of ECX', () => {
    begin(4);
    for (let k = 0; k < 4; k++) cpu.memory.u8[TARGET + k] = 0x44;
    expect(execute([0xf3, 0xae], 100)).toBe(5);
  });

  it('leave the flags when ECX is 0 from the start', () => {
    begin(0);
    setArithFlags(cpu, FLAG_ZF);
    expect(execute([0xf3, 0xa6], 10)).toBe(1);
    expect(cpu.r[EDI]).toBe(TARGET);
  });

  it.each([1, 3, 1000])('copy the same memory in bulk and one by one, across pages and overlapping, slices of %i', (slice) => {
    for (const [opcode, esi, edi, n, size] of [
      [0xa4, 0x300f80, 0x300fa0, 100, 1],
      [0xa4, 0x300f90, 0x300f91, 60, 1],
      [0xa5, 0x300f90, 0x300f93, 20, 4],
      [0xa5, 0x300fe1, 0x300f82, 20, 4],
    ] as const) {
      begin(n, esi, edi);
      const model = Uint8Array.from(bytesAt(0x300000, 0x2000));
      for (let k = 0; k < n; k++)
        for (let b = 0; b < size; b++) model[edi - 0x300000 + k * size + b] = model[esi - 0x300000 + k * size + b]!;
      // Elements are copied whole: for overlaps shorter than an element the byte model above would differ.
      if (size === 1 || edi < esi) {
        execute([0xf3, opcode], slice);
        expect(bytesAt(0x300000, 0x2000)).toEqual([...model]);
        expect([cpu.r[ESI], cpu.r[EDI]]).toEqual([esi + n * size, edi + n * size]);
      }
    }
  });

  it('stores every pattern of STOS in bulk as one by one', () => {
    for (const [prefix, opcode, size] of [
      [[], 0xaa, 1],
      [[0x66], 0xab, 2],
      [[], 0xab, 4],
    ] as const) {
      for (const value of [0, -1, 0x12341234, 0x55555555, 0x01020304]) {
        begin(40 / size);
        cpu.r[EAX] = value;
        execute([...prefix, 0xf3, opcode], 1000);
        expect(bytesAt(TARGET, 40)).toEqual(Array.from({ length: 40 }, (_, k) => (value >>> (8 * (k % size))) & 0xff));
      }
    }
  });

  it('goes downwards with DF set', () => {
    begin(4, SOURCE + 3, TARGET + 3);
    cpu.r[EFLAGS] |= FLAG_DF;
    const expected = bytesAt(SOURCE, 4);
    execute([0xf3, 0xa4], 100);
    expect(bytesAt(TARGET, 4)).toEqual(expected);
    expect(cpu.r[ESI]).toBe(SOURCE - 1);
  });

  it('stops with the registers of the finished iterations when a page is not present', () => {
    begin(40, SOURCE, 0x301ff0);
    expect(() => execute([0xf3, 0xa4], 1000)).toThrow();
    expect([guestFault.vector, guestFault.counted, cpu.cr2]).toEqual([14, false, 0x302000]);
    expect([cpu.r[ECX], cpu.r[EDI], cpu.r[ESI]]).toEqual([24, 0x302000, SOURCE + 16]);
    // 16 iterations and the one that faulted, which the engine takes back.
    expect(1000 - cpu.r[LEFT]).toBe(17);
  });

  it('does one iteration per call while single-stepping', () => {
    begin(5);
    cpu.mode |= MODE_TF;
    const insn = decodeInsn(Uint8Array.of(0xf3, 0xa4), 0, cpu.mode);
    cpu.insnEip = START;
    cpu.r[LEFT] = 100;
    insn.exec(cpu, insn);
    expect([cpu.r[ECX], cpu.r[EIP], cpu.r[LEFT]]).toEqual([4, START, 100]);
  });
});
