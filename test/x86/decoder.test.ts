// Oracle: manual (Intel SDM Vol. 2 chapter 2, appendix A; Vol. 3B 23.15)
import { describe, expect, it } from 'vitest';
import { decodeInsn } from '../../jit/x86/decoder.js';
import { guestFault } from '../../jit/x86/fault.js';
import type { Insn } from '../../jit/x86/insn.js';
import { MODE_CS32, MODE_EM, MODE_PE, MODE_SS32, MODE_TS } from '../../jit/x86/mode.js';
import { DS, EAX, EBP, EBX, ECX, EDI, ESI, ESP, FS, SEG_BASE, SS, ZERO } from '../../jit/x86/regs.js';
import { allRows } from '../../jit/x86/table/index.js';
import { InterpreterJudge } from '../../tools/x86-gen/interpreter.js';

const CODE32 = MODE_PE | MODE_CS32 | MODE_SS32;
const CODE16 = MODE_PE;

function decode(text: string, mode = CODE32): Insn {
  const bytes = text.split(' ').map((b) => Number.parseInt(b, 16));
  return decodeInsn(Uint8Array.from([...bytes, ...new Array<number>(16).fill(0x90)]), 0, mode);
}

/** Vector and counting of an instruction that only faults. */
function faultOf(i: Insn): { vector: number; counted: boolean } {
  try {
    i.exec(new InterpreterJudge('qemu32').cpu, i);
  } catch (e) {
    if (e !== guestFault) throw e;
    return { vector: guestFault.vector, counted: guestFault.counted };
  }
  return { vector: -1, counted: false };
}

describe('x86 decoder', () => {
  it.each([
    ['01 d8', 2, 'add'],
    ['66 05 34 12', 4, 'add'],
    ['05 78 56 34 12', 5, 'add'],
    ['81 84 8b 78 56 34 12 0d f0 ad ba', 11, 'add'],
    ['66 81 44 24 08 34 12', 7, 'add'],
    ['8b 04 25 00 10 00 00', 7, 'mov'],
    ['c8 10 00 01', 4, 'enter'],
    ['a1 00 10 00 00', 5, 'mov'],
    ['67 a1 00 10', 4, 'mov'],
    ['0f ba e0 05', 4, 'bt'],
    ['0f b6 c0', 3, 'movzx'],
    ['f3 0f bc c1', 4, 'tzcnt'],
    ['0f 1f 84 00 00 00 00 00', 8, 'nop'],
    ['f6 c0 01', 3, 'test'],
    ['f7 d8', 2, 'neg'],
    ['0f 84 00 01 00 00', 6, 'je'],
    ['f3 a4', 2, 'movs'],
  ])('finds length and mnemonic of %s in 32-bit code', (bytes, length, name) => {
    const i = decode(bytes);
    expect([i.length, i.row.name]).toEqual([length, name]);
  });

  it('takes 16-bit operands and addresses in 16-bit code and swaps them with 66 and 67', () => {
    expect(decode('05 34 12', CODE16)).toMatchObject({ length: 3, size: 16, imm: 0x1234 });
    expect(decode('66 05 78 56 34 12', CODE16)).toMatchObject({ length: 6, size: 32, imm: 0x12345678 });
    expect(decode('8b 47 fe', CODE16)).toMatchObject({ length: 3, base: EBX, index: ZERO, disp: -2, mask: 0xffff, addressSize: 16 });
    expect(decode('67 8b 44 8a fe', CODE16)).toMatchObject({ length: 5, base: 2, index: ECX, scale: 2, disp: -2, mask: -1 });
  });

  it.each([
    ['8b 00', EBX, ESI, DS],
    ['8b 01', EBX, EDI, DS],
    ['8b 02', EBP, ESI, SS],
    ['8b 03', EBP, EDI, SS],
    ['8b 04', ESI, ZERO, DS],
    ['8b 05', EDI, ZERO, DS],
    ['8b 46 00', EBP, ZERO, SS],
    ['8b 07', EBX, ZERO, DS],
    ['8b 06 34 12', ZERO, ZERO, DS],
  ])('knows base, index and default segment of 16-bit form %s', (bytes, base, index, segment) => {
    expect(decode(bytes, CODE16)).toMatchObject({ base, index, segment: SEG_BASE + segment });
  });

  it.each([
    ['8b 04 24', ESP, SS],
    ['8b 45 00', EBP, SS],
    ['8b 05 00 00 00 00', ZERO, DS],
    ['8b 04 2d 00 00 00 00', ZERO, DS],
    ['8b 44 05 00', EBP, SS],
    ['8b 04 28', EAX, DS],
  ])('takes SS only for ESP and EBP as base: %s', (bytes, base, segment) => {
    expect(decode(bytes)).toMatchObject({ base, segment: SEG_BASE + segment });
  });

  it('lets the last segment override and the last repeat prefix win', () => {
    expect(decode('2e 64 8b 45 00')).toMatchObject({ segment: SEG_BASE + FS, length: 5 });
    expect(decode('f2 f3 a6')).toMatchObject({ rep: 0xf3 });
    expect(decode('f3 f2 a6')).toMatchObject({ rep: 0xf2 });
  });

  it('raises a counted #UD for undefined opcodes', () => {
    for (const bytes of ['0f 0b', '0f ff', '0f b9', 'f1', 'fe d0', 'c5 c0']) {
      expect(faultOf(decode(bytes)), bytes).toEqual({ vector: 6, counted: true });
    }
  });

  it('raises #UD for LOCK with a register destination or CMP, and allows it on memory', () => {
    expect(faultOf(decode('f0 01 d8')).vector).toBe(6);
    expect(faultOf(decode('f0 39 18')).vector).toBe(6);
    expect(decode('f0 01 18').row.name).toBe('add');
    expect(faultOf(decode('f0 90')).vector).toBe(6);
  });

  it('accepts 15 bytes and raises a counted #GP for 16', () => {
    const prefixes = (n: number): string => new Array<string>(n).fill('66').join(' ');
    expect(decode(`${prefixes(14)} 90`)).toMatchObject({ length: 15 });
    expect(faultOf(decode(`${prefixes(15)} 90`))).toEqual({ vector: 13, counted: true });
    expect(faultOf(decode(prefixes(20)))).toEqual({ vector: 13, counted: true });
    expect(faultOf(decode(`${prefixes(10)} 81 c0 34 12`)).vector).toBe(-1);
    expect(faultOf(decode(`${prefixes(12)} 81 c0 34 12`)).vector).toBe(13);
  });

  it('raises #NM for x87 instructions when CR0.EM or CR0.TS is set, before it reads ModRM', () => {
    for (const mode of [MODE_EM, MODE_TS]) {
      const i = decode('d8 c0', CODE32 | mode);
      expect(i.length).toBe(1);
      expect(faultOf(i)).toEqual({ vector: 7, counted: true });
    }
  });

  it('takes the ModRM byte of MOV to control registers as register form', () => {
    expect(decode('0f 20 00')).toMatchObject({ length: 3, mod: 3 });
  });

  it('reads bytes behind the end as zero', () => {
    expect(decodeInsn(Uint8Array.from([0xb8, 0x12]), 0, CODE32)).toMatchObject({ length: 5, imm: 0x12 });
  });

  it('has no two rows that decode the same bytes', () => {
    const seen = new Map<string, string>();
    for (const row of allRows()) {
      for (let k = 0; k < (row.count ?? 1); k++) {
        const key = [row.map, row.opcode + k, row.prefix, row.digit, row.form, row.rm].join('/');
        expect(seen.get(key), `${row.name} and ${seen.get(key)} share ${key}`).toBeUndefined();
        seen.set(key, row.name);
      }
    }
  });
});
