// Oracle: Intel SDM Vol. 2 (each instruction's operation) and Vol. 3A 2.5, 13.1; where titles say QEMU: QEMU run (7.2.22)
import { beforeEach, describe, expect, it } from 'vitest';
import { Cpu } from '../../jit/x86/cpu.js';
import { decodeInsn } from '../../jit/x86/decoder.js';
import { GP, guestFault, NM, PF, UD } from '../../jit/x86/fault.js';
import { readEflags } from '../../jit/x86/flags.js';
import { EBX, ECX, EDI, EIP, ESI, FLAGS_ARITH } from '../../jit/x86/regs.js';
import { updateMode } from '../../jit/x86/segments.js';
import { PhysicalMemory } from '../../src/memory/physical.js';
import { bytesOf, TinyBoard } from './tiny-board.js';

const DATA = 0x2000;
/** Present page; the one behind it is not. */
const LAST_PAGE = 0x5000;
const PAGE_DIRECTORY = 0x8000;
const PAGE_TABLE = 0x9000;

let cpu: Cpu;
let memory: PhysicalMemory;

beforeEach(() => {
  memory = new PhysicalMemory(0x10000);
  const at = memory.allocate(0x10000);
  memory.map(0, 0x10000, at, at);
  cpu = new Cpu(memory, new TinyBoard({ ramBytes: 0x1000 }), 'qemu32');
  memory.dv.setUint32(PAGE_DIRECTORY, PAGE_TABLE | 7, true);
  for (let n = 0; n < 16; n++) memory.dv.setUint32(PAGE_TABLE + 4 * n, n === 6 ? 0 : (n << 12) | 7, true);
  cpu.cr0 = 0x80000033 | 0;
  cpu.cr3 = PAGE_DIRECTORY;
  cpu.cr4 = 0x600;
  updateMode(cpu);
  cpu.r[ESI] = DATA;
});

/** Executes one instruction with 32-bit addresses ([ESI] is the usual operand); gives the exception's vector and whether it counts, or null. */
function run(hex: string): { vector: number; counted: boolean } | null {
  const insn = decodeInsn(bytesOf(`67 ${hex}`), 0, cpu.mode);
  cpu.insnEip = cpu.r[EIP];
  try {
    insn.exec(cpu, insn);
    return null;
  } catch (e) {
    if (e !== guestFault) throw e;
    return { vector: guestFault.vector, counted: guestFault.counted };
  }
}

function xmm(n: number): string {
  return Buffer.from(cpu.sse.regs[n]!.u8).reverse().toString('hex');
}

/** Highest byte first. */
function setXmm(n: number, hex: string): void {
  cpu.sse.regs[n]!.u8.set(bytesOf(hex).reverse());
}

function mm(n: number): string {
  return ((BigInt(cpu.fpu.mantHi[n]!) << 32n) | BigInt(cpu.fpu.mantLo[n]!)).toString(16).padStart(16, '0');
}

function setMm(n: number, value: bigint): void {
  cpu.fpu.mantHi[n] = Number(value >> 32n);
  cpu.fpu.mantLo[n] = Number(value & 0xffffffffn);
}

describe('MMX', () => {
  it('saturates, interleaves and multiplies packed integers', () => {
    setMm(0, 0x7fff_8000_0001_ffffn);
    setMm(1, 0x0001_ffff_0002_0001n);
    run('0fedc1');
    expect(mm(0), 'paddsw').toBe('7fff800000030000');
    setMm(0, 0x0102_0304_0506_0708n);
    setMm(1, 0x1112_1314_1516_1718n);
    run('0f60c1');
    expect(mm(0), 'punpcklbw').toBe('1505160617071808');
    setMm(0, 0x8000_8000_0002_0003n);
    setMm(1, 0x8000_8000_0004_0005n);
    run('0ff5c1');
    expect(mm(0), 'pmaddwd').toBe('8000000000000017');
    setMm(0, 0xffff_ffff_ffff_ffffn);
    setMm(1, 0x0000_0001_0000_0002n);
    run('0ff4c1');
    expect(mm(0), 'pmuludq').toBe('00000001fffffffe');
  });

  it('shifts everything out with counts above the width, in all 64 bits of the count', () => {
    setMm(0, 0x8000_7fff_ffff_0001n);
    setMm(1, 0x1_0000_0000n);
    run('0fe1c1');
    expect(mm(0), 'psraw').toBe('ffff0000ffff0000');
    setMm(0, -1n & 0xffff_ffff_ffff_ffffn);
    run('0f73d040');
    expect(mm(0), 'psrlq 64').toBe('0000000000000000');
  });

  it('makes TOP 0 and all registers valid, and EMMS all empty', () => {
    cpu.fpu.top = 5;
    run('0fefc0');
    expect([cpu.fpu.top, cpu.fpu.tagWord() & 0x5555]).toEqual([0, 0x5555 & cpu.fpu.tagWord()]);
    expect([...cpu.fpu.empty]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    run('0f77');
    expect([...cpu.fpu.empty]).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
  });

  it('is aliased to the significands of R0..R7 and leaves signs and exponents alone, as QEMU does', () => {
    cpu.fpu.signExp[2] = 0x1234;
    cpu.r[ECX] = 0x55667788;
    run('0f6ed1');
    expect([mm(2), cpu.fpu.signExp[2]]).toEqual(['0000000055667788', 0x1234]);
  });
});

describe('SSE', () => {
  it('changes only the lowest lane with scalar instructions, and clears the rest when loading from memory', () => {
    setXmm(0, '11111111 22222222 33333333 3f800000');
    setXmm(1, '44444444 55555555 66666666 40000000');
    run('f30f58c1');
    expect(xmm(0)).toBe('11111111222222223333333340400000');
    run('f30f10c1');
    expect(xmm(0)).toBe('11111111222222223333333340000000');
    memory.dv.setUint32(DATA, 0x3f000000, true);
    run('f30f1006');
    expect(xmm(0)).toBe('0000000000000000000000003f000000');
  });

  it('keeps the bits of signalling NaNs in moves', () => {
    setXmm(1, '7ff0000000000001 7f8000017fa00000');
    run('0f28c1');
    run('f20f10d1');
    expect([xmm(0), xmm(2)]).toEqual(['7ff00000000000017f8000017fa00000', '00000000000000007f8000017fa00000']);
  });

  it('compares into masks, and COMISS into ZF, PF and CF', () => {
    setXmm(0, '7fc00000 40000000 3f800000 00000000');
    setXmm(1, '3f800000 3f800000 3f800000 80000000');
    run('0fc2c102');
    expect(xmm(0), 'cmpleps').toBe('0000000000000000ffffffffffffffff');
    setXmm(0, '00000000 00000000 00000000 7fc00000');
    run('0f2ec1');
    expect([readEflags(cpu) & FLAGS_ARITH, cpu.sse.mxcsr & 0x3f], 'ucomiss of a quiet NaN').toEqual([0x45, 1]);
  });

  it('converts what does not fit to the integer indefinite and raises only invalid', () => {
    setXmm(1, '7fc00000 4f000000 bfc00000 3fc00000');
    run('660f5bc1');
    expect([xmm(0), cpu.sse.mxcsr]).toEqual(['8000000080000000fffffffe00000002', 0x1fa1]);
    cpu.sse.mxcsr = 0x1f80;
    run('f30f2cd9');
    expect([cpu.r[EBX], cpu.sse.mxcsr]).toEqual([1, 0x1fa0]);
  });

  it('rounds as MXCSR says, and flags stay until they are loaded', () => {
    memory.dv.setUint32(DATA, 0x1f80 | (2 << 13), true);
    run('0fae16');
    setXmm(0, '3f800000 3f800000 3f800000 3f800000');
    setXmm(1, '40400000 40400000 40400000 40400000');
    run('0f5ec1');
    expect(xmm(0)).toBe('3eaaaaab3eaaaaab3eaaaaab3eaaaaab');
    run('0f57c0');
    run('0fae1e');
    expect(memory.dv.getUint32(DATA, true)).toBe(0x1fa0 | (2 << 13));
  });

  it('never raises #XM, even unmasked, as QEMU', () => {
    cpu.sse.mxcsr = 0;
    setXmm(0, '00000000 00000000 00000000 3f800000');
    expect(run('f30f5ec1')).toBeNull();
    expect([xmm(0), cpu.sse.mxcsr]).toEqual(['0000000000000000000000007f800000', 4]);
  });

  it('computes RCPPS and RSQRTPS to the last bit and without flags, as QEMU', () => {
    setXmm(1, '40400000 3f800000 00000000 80000000');
    run('0f53c1');
    expect([xmm(0), cpu.sse.mxcsr]).toEqual(['3eaaaaab3f8000007f800000ff800000', 0x1f80]);
    run('0f52c1');
    expect([xmm(0), cpu.sse.mxcsr]).toEqual(['3f13cd3a3f8000007f800000ff800000', 0x1f80]);
  });

  it('adds and subtracts neighbours in SSE3', () => {
    setXmm(0, '40800000 40400000 40000000 3f800000');
    setXmm(1, '41000000 40e00000 40c00000 40a00000');
    run('f20fd0c1');
    expect(xmm(0), 'addsubps').toBe('41400000c080000041000000c0800000');
    run('f20f7cc1');
    expect(xmm(0), 'haddps').toBe('41700000413000004100000040800000');
  });
});

describe('faults of vector instructions', () => {
  it('are #GP for 16-byte operands off their boundary, not counted and before any page fault', () => {
    cpu.r[ESI] = 0x6008;
    expect(run('0f2806')).toEqual({ vector: GP, counted: false });
    expect(run('660fef06')).toEqual({ vector: GP, counted: false });
    expect(run('0f1006')).toEqual({ vector: PF, counted: false });
  });

  it('leave the destination as it was', () => {
    setXmm(0, '11111111 22222222 33333333 44444444');
    cpu.r[ESI] = LAST_PAGE + 0xff8;
    expect(run('0f1006')).toEqual({ vector: PF, counted: false });
    expect([xmm(0), cpu.cr2]).toEqual(['11111111222222223333333344444444', 0x6000]);
  });

  it('leave the first eight bytes of a store written when the others cannot be, as QEMU', () => {
    setXmm(0, '11111111 22222222 33333333 44444444');
    cpu.r[ESI] = LAST_PAGE + 0xff8;
    expect(run('0f1106')).toEqual({ vector: PF, counted: false });
    expect(memory.dv.getUint32(LAST_PAGE + 0xff8, true)).toBe(0x44444444);
    cpu.r[ESI] = LAST_PAGE + 0xffc;
    memory.dv.setUint32(LAST_PAGE + 0xffc, 0, true);
    expect(run('0f1106')).toEqual({ vector: PF, counted: false });
    expect(memory.dv.getUint32(LAST_PAGE + 0xffc, true)).toBe(0);
  });

  it('come behind the bytes MASKMOVDQU has written', () => {
    setXmm(0, '0f0e0d0c 0b0a0908 07060504 03020100');
    setXmm(1, '00000080 00000000 00000000 80008000');
    cpu.r[EDI] = LAST_PAGE + 0xffc;
    expect(run('660ff7c1')).toEqual({ vector: PF, counted: false });
    expect(memory.dv.getUint32(LAST_PAGE + 0xffc, true)).toBe(0x03000100);
  });

  it('are #UD without CR4.OSFXSR, then #NM with CR0.TS, then #UD with CR0.EM, all counted', () => {
    const set = (cr0: number, cr4: number): void => {
      cpu.cr0 = cr0;
      cpu.cr4 = cr4;
      updateMode(cpu);
    };
    set(0x8000003f | 0, 0);
    expect([run('0f58c1'), run('0fefc1')]).toEqual([
      { vector: UD, counted: true },
      { vector: NM, counted: true },
    ]);
    set(0x8000003f | 0, 0x200);
    expect(run('0f58c1')).toEqual({ vector: NM, counted: true });
    set(0x80000037 | 0, 0x200);
    expect([run('0f58c1'), run('0fefc1')]).toEqual([
      { vector: UD, counted: true },
      { vector: UD, counted: true },
    ]);
  });

  it('are #UD for what qemu32 lacks: SSSE3, SSE4, CLFLUSH', () => {
    for (const hex of ['0f3800c1', '660f3800c1', '660f3a0fc108', '660f3838c1', '0fae3e'])
      expect(run(hex)).toEqual({ vector: UD, counted: true });
  });
});
