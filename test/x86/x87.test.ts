// Oracle: QEMU run (7.2.22); layouts and encodings: Intel SDM Vol. 1 chapter 8, Vol. 2
import { describe, expect, it } from 'vitest';
import { Cpu, type CpuBoard } from '../../jit/x86/cpu.js';
import { decodeInsn } from '../../jit/x86/decoder.js';
import { type GuestFault, MF, NM, UD } from '../../jit/x86/fault.js';
import { acknowledgeFerr } from '../../jit/x86/fpu.js';
import { MODE_CS32, MODE_EM, MODE_MP, MODE_PE, MODE_TS } from '../../jit/x86/mode.js';
import { CS, DS, EAX, EBX, ECX, SS } from '../../jit/x86/regs.js';
import { PhysicalMemory } from '../../src/memory/physical.js';
import { emptyBoard } from './x87-image.js';

const DATA = 0x1000;

const ferr: boolean[] = [];
const memory = new PhysicalMemory(0x10000);
const ram = memory.allocate(0x10000);
memory.map(0, 0x10000, ram, ram);
const board: CpuBoard = { ...emptyBoard, setFerr: (level) => void ferr.push(level) };
/** One processor for all tests: its translation caches are large. */
const processor = new Cpu(memory, board, 'qemu32');

class Machine {
  readonly cpu = processor;

  constructor() {
    ferr.length = 0;
    memory.u8.fill(0);
    this.cpu.reset();
    this.cpu.r.fill(0, 16, 22);
    this.cpu.r[EBX] = DATA;
    this.cpu.selector[CS] = 0x10;
    this.cpu.selector[DS] = 0x18;
    this.cpu.selector[SS] = 0x20;
  }

  /** Executes instructions given as hex, one string each; memory operands at [EBX]. */
  run(...instructions: string[]): this {
    for (const hex of instructions) this.runIn(MODE_CS32 | MODE_PE, hex);
    return this;
  }

  runIn(mode: number, hex: string): void {
    const i = decodeInsn(Uint8Array.from(Buffer.from(hex.padEnd(30, '0'), 'hex')), 0, mode);
    this.cpu.insnEip = 0x400;
    i.exec(this.cpu, i);
  }

  /** The guest fault an instruction raises. */
  fault(hex: string, mode = MODE_CS32 | MODE_PE): { vector: number; counted: boolean } {
    try {
      this.runIn(mode, hex);
    } catch (e) {
      const { vector, counted } = e as GuestFault;
      return { vector, counted };
    }
    throw new Error(`${hex} raised nothing`);
  }

  hex(offset: number, length: number): string {
    return Buffer.from(memory.u8.subarray(DATA + offset, DATA + offset + length)).toString('hex');
  }

  write(hex: string): this {
    memory.u8.set(Buffer.from(hex, 'hex'), DATA);
    return this;
  }

  /** ST(0) as exponent.significand. */
  get top(): string {
    const { fpu } = this.cpu;
    const word = (v: number, digits: number) => v.toString(16).padStart(digits, '0');
    return `${word(fpu.signExp[fpu.top]!, 4)}.${word(fpu.mantHi[fpu.top]!, 8)}${word(fpu.mantLo[fpu.top]!, 8)}`;
  }

  get statusWord(): number {
    return this.cpu.fpu.getStatusWord();
  }
}

const FLD1 = 'd9e8';
const FLDZ = 'd9ee';
const FLDPI = 'd9eb';
const FNINIT = 'dbe3';
const FNSTENV = 'd933';
const FLDCW = 'd92b';
const FWAIT = '9b';

describe('x87 state', () => {
  it('is masked, rounding to nearest at 64 bits, all registers empty, after reset and FNINIT', () => {
    const m = new Machine().run(FLD1, FNINIT, FNSTENV);
    expect(m.hex(0, 28)).toBe(`7f030000${'00000000'}ffff0000${'00000000'.repeat(4)}`);
  });

  it('FNSTENV tells valid, zero, special and empty registers apart', () => {
    // 1, 0, infinity in R7, R6, R5.
    const m = new Machine().write('000000000000f07f').run(FLD1, FLDZ, 'dd03', FNSTENV);
    expect(m.hex(0, 12)).toBe('7f03000000280000ff1b0000');
  });

  it('keeps instruction and operand pointers of the last instruction that is no control instruction', () => {
    const m = new Machine().run('d903', 'd9fa', FNSTENV);
    expect(m.hex(12, 16)).toBe('00040000100000000010000018000000');
    // 16-bit operand size cuts all to words.
    m.run(`66${FNSTENV}`);
    expect(m.hex(6, 8)).toBe('0004100000101800');
  });

  it('notes the untruncated sum as operand offset with 16-bit addressing', () => {
    const m = new Machine();
    m.cpu.r[EBX] = 0x20000 + DATA;
    // fld dword [bx]
    m.run('67d907');
    expect(m.cpu.fpu.dataOffset).toBe(0x20000 + DATA);
  });

  it('FNSAVE writes the registers in stack order and initialises, FRSTOR brings everything but the pointers back', () => {
    const m = new Machine().run(FLD1, FLDPI, 'dd33');
    expect(m.hex(28, 20)).toBe('35c26821a2da0fc90040' + '0000000000000080ff3f');
    expect(m.cpu.fpu.tagWord()).toBe(0xffff);
    m.run('dd23');
    expect([m.top, m.statusWord, m.cpu.fpu.tagWord(), m.cpu.fpu.instructionOffset]).toEqual(['4000.c90fdaa22168c235', 0x3000, 0x0fff, 0]);
  });

  it('FXSAVE writes abridged tags and zero pointers, FXRSTOR reads them', () => {
    const m = new Machine().run(FLD1, FLDPI, '0fae03', FNINIT, '0fae0b');
    expect(m.hex(0, 24)).toBe(`7f030030c0000000${'00'.repeat(16)}`);
    expect(m.hex(32, 26)).toBe(`35c26821a2da0fc90040${'000000000000'}0000000000000080ff3f`);
    expect([m.top, m.statusWord, m.cpu.fpu.tagWord()]).toEqual(['4000.c90fdaa22168c235', 0x3000, 0x0fff]);
  });

  it('FXSAVE and FXRSTOR include MXCSR and the XMM registers with CR4.OSFXSR only', () => {
    const m = new Machine();
    m.cpu.sse.mxcsr = 0x1fa5;
    m.cpu.sse.i32.set([1, 2, 3, 4]);
    m.run('0fae03');
    expect(m.hex(24, 8)).toBe('0000000000000000');
    m.cpu.cr4 |= 0x200;
    m.run('0fae03');
    expect(m.hex(24, 8)).toBe('a51f0000ffff0000');
    expect(m.hex(160, 16)).toBe('01000000020000000300000004000000');
    m.cpu.sse.reset();
    m.run('0fae0b');
    expect([m.cpu.sse.mxcsr, ...m.cpu.sse.i32.subarray(0, 4)]).toEqual([0x1fa5, 1, 2, 3, 4]);
  });

  it('wraps the stack without faults, as QEMU does', () => {
    const m = new Machine().run(...Array<string>(9).fill(FLD1));
    expect(m.statusWord).toBe(0x3800);
    // fstp st(0) from empty registers
    m.run(FNINIT, 'ddd8');
    expect(m.statusWord).toBe(0x0800);
  });
});

describe('x87 exceptions', () => {
  /** 1 / 0 with division by zero unmasked. */
  const divide = (m: Machine) => m.write('7b03').run(FLDCW, FLD1, FLDZ, 'def9');

  it('an unmasked exception writes its result and sets ES and B', () => {
    const m = divide(new Machine());
    expect([m.top, m.statusWord & 0xc0ff]).toEqual(['7fff.8000000000000000', 0x8084]);
  });

  it('with CR0.NE only FWAIT and FNOP raise #MF, uncounted', () => {
    const m = divide(new Machine());
    m.cpu.cr0 |= 0x20;
    m.run(FLD1, 'd9e0');
    expect(m.fault(FWAIT)).toEqual({ vector: MF, counted: false });
    expect(m.fault('d9d0')).toEqual({ vector: MF, counted: false });
    m.run('dbe2', FWAIT);
    expect(m.statusWord & 0xff).toBe(0);
  });

  it('without CR0.NE FWAIT raises FERR#, until port F0h asserts IGNNE#', () => {
    const m = divide(new Machine()).run(FWAIT);
    expect(ferr).toEqual([true]);
    acknowledgeFerr(m.cpu);
    m.run(FWAIT);
    expect(ferr).toEqual([true, false]);
    // Loading a status word without error drops IGNNE#.
    m.run(FNSTENV).write('7b030000').run('dbe2', FNSTENV, 'd923');
    expect(m.cpu.fpu.ignne).toBe(false);
  });

  it('CR0.EM and TS make every escape opcode #NM, counted; FWAIT needs MP and TS', () => {
    const m = new Machine();
    const mode = MODE_CS32 | MODE_PE;
    expect(m.fault(FLD1, mode | MODE_EM)).toEqual({ vector: NM, counted: true });
    expect(m.fault('d9d1', mode | MODE_TS)).toEqual({ vector: NM, counted: true });
    expect(m.fault('0fae03', mode | MODE_TS)).toEqual({ vector: NM, counted: true });
    expect(m.fault(FWAIT, mode | MODE_TS | MODE_MP)).toEqual({ vector: NM, counted: true });
    m.runIn(mode | MODE_TS, FWAIT);
    m.runIn(mode | MODE_EM, FWAIT);
  });

  it.each(['d9d1', 'd90b', 'd9e2', 'd9ef', 'dae0', 'dbe5', 'dbf8', 'ddf0', 'ded8', 'dfe1', 'dff8', 'db23', 'dd2b'])(
    '%s is undefined: #UD, counted',
    (hex) => expect(new Machine().fault(hex)).toEqual({ vector: UD, counted: true }),
  );

  it('FXSAVE at an address that is no multiple of 16 is #GP(0), uncounted', () => {
    const m = new Machine();
    m.cpu.r[EBX] = DATA + 8;
    expect(m.fault('0fae03')).toEqual({ vector: 13, counted: false });
  });
});

describe('x87 instructions', () => {
  it('have their undocumented aliases', () => {
    const m = new Machine().run(FLD1, FLDZ);
    // fcom2, fxch4, fxch7, fstp1, fcomp3, fcomp5, fstp8, fstp9, ffreep
    m.run('dcd1', 'ddc9', 'dfc9', 'd9d9', FLDZ, 'dcd9', FLDZ, 'ded1', FLDZ, 'dfd1', FLDZ, 'dfd9', FLDZ, 'dfc0');
    expect([m.top, m.statusWord & 0x3800]).toEqual(['0000.0000000000000000', 0x3800]);
  });

  it.each([
    ['nearest', '7f03', '4000.c90fdaa22168c235', '4000.d49a784bcd1b8afe'],
    ['down', '7f07', '4000.c90fdaa22168c234', '4000.d49a784bcd1b8afe'],
    ['up', '7f0b', '4000.c90fdaa22168c235', '4000.d49a784bcd1b8aff'],
    ['to zero', '7f0f', '4000.c90fdaa22168c234', '4000.d49a784bcd1b8afe'],
  ])('FLDPI and FLDL2T round %s', (_, controlWord, pi, log) => {
    const m = new Machine().write(controlWord).run(FLDCW, FLDPI);
    expect(m.top).toBe(pi);
    expect(m.run('d9e9').top).toBe(log);
  });

  it('FBSTP writes 18 digits and a sign, FBLD reads them', () => {
    const m = new Machine().write('78563412907856341280').run('df23');
    // -123456789012345678
    expect(m.top).toBe('c037.db4da5d31879a700');
    m.write('00'.repeat(10)).run('df33');
    expect(m.hex(0, 10)).toBe('78563412907856341280');
    // 10^18 is one too many: the packed BCD indefinite.
    m.write('000064a7b3b6e00d').run('df2b', 'df33');
    expect([m.hex(0, 10), m.statusWord & 0xff]).toEqual(['00000000000000c0ffff', 1]);
  });

  it('FIST of what does not fit writes the indefinite and raises invalid only', () => {
    const m = new Machine().write('cdccccccccccf8c8').run('dd03', 'df13');
    expect([m.hex(0, 2), m.statusWord & 0xff]).toEqual(['0080', 0x01]);
  });

  it('FCOMI keeps SF, AF and OF as QEMU does', () => {
    const m = new Machine();
    // mov ecx, 0x7fffffff; inc ecx sets OF, SF and AF.
    m.cpu.r[ECX] = 0x7fffffff;
    m.run('41', FLD1, FLDZ, 'dbf1', '9f');
    expect((m.cpu.r[EAX]! >> 8) & 0xff).toBe(0x93);
  });

  it('FPREM of distant exponents leaves a partial remainder and sets C2', () => {
    // 2^100 and 3
    const m = new Machine().write('03000000').run('db03').write('64000000').run('db03', FLD1, 'd9fd', 'ddd9', 'd9f8');
    expect(m.statusWord & 0x4700).toBe(0x0400);
    expect(m.run('d9f8').statusWord & 0x0400).toBe(0);
    expect(m.top).toBe('3fff.8000000000000000');
  });

  it('FXAM classifies, empty first', () => {
    const classify = (m: Machine) => m.run('d9e5').statusWord & 0x4700;
    expect(classify(new Machine())).toBe(0x4100);
    expect(classify(new Machine().run(FLDZ, 'd9e0'))).toBe(0x4200);
    expect(classify(new Machine().run(FLD1))).toBe(0x0400);
    expect(classify(new Machine().write('0000000000000080ff7f').run('db2b'))).toBe(0x0500);
    expect(classify(new Machine().write('0100000000000000ff7f').run('db2b'))).toBe(0x0000);
    expect(classify(new Machine().write('00000000000000800000').run('db2b'))).toBe(0x4400);
  });

  it('FSIN works on a double; beyond 2^63 it only sets C2', () => {
    const m = new Machine().run(FLD1, 'd9fe');
    // The double nearest to sin 1.
    expect(m.top).toBe('3ffe.d76aa47848677000');
    m.write('0000000000000080ff43').run('db2b', 'd9fe');
    expect([m.top, m.statusWord & 0x0400]).toEqual(['43ff.8000000000000000', 0x0400]);
  });

  it('FYL2X doubles the result for a denormal with its highest fraction bit set, as QEMU 7.2 does', () => {
    // y * log2(3 / 2)
    const m = new Machine().write('00000000000000400000').run('db2b').write('00000000000000c0ff3f').run('db2b', 'd9f1');
    expect(m.top).toBe('0000.4ae00d1cfdeb43d0');
  });
});
