import { raiseStatic, UD } from '../fault.js';
import { END_SYSTEM, type Row } from '../insn.js';

/**
 * Vector instructions that no model here has but QEMU 7.2 knows: it reads their operand bytes before it finds the feature missing. That shows only in
 * what comes before #UD: #GP(0) for more than 15 bytes, a page fault for bytes on the next page.
 */
type Opcodes = readonly (number | readonly [first: number, last: number])[];

function absent(map: Row['map'], prefixes: readonly Row['prefix'][], opcodes: Opcodes, more: Partial<Row> = {}): Row[] {
  return opcodes.flatMap((range) => {
    const [first, last] = typeof range === 'number' ? [range, range] : range;
    return prefixes.map(
      (prefix): Row => ({
        name: '(absent)',
        map,
        opcode: first,
        count: last - first + 1,
        prefix,
        modrm: true,
        size: 32,
        end: END_SYSTEM,
        exec: () => undefinedOpcode,
        test: 'skip',
        ...more,
      }),
    );
  });
}

function undefinedOpcode(): never {
  return raiseStatic(UD);
}

const MMX: readonly Row['prefix'][] = ['none', '66'];
const XMM: readonly Row['prefix'][] = ['66'];
const IMMEDIATE: Partial<Row> = { imm: 'b' };
const MEMORY: Partial<Row> = { form: 'mem' };

/** 3DNow!, SSE4A, SSSE3, SSE4, AES and what AVX and BMI share their opcodes with. */
export const absentRows: readonly Row[] = [
  ...absent('0f', [undefined], [0x0f], IMMEDIATE),
  { ...absent('0f', [undefined], [0x0e])[0]!, modrm: false },
  ...absent('0f', ['f3', 'f2'], [0x2b], MEMORY),
  ...absent('0f', ['66'], [0x78], { imm: 'w' }),
  ...absent('0f', ['f2'], [0x78], { form: 'reg', imm: 'w' }),
  ...absent('0f', [undefined], [0x79], { form: 'reg' }),
  // Groups whose ModRM is looked at before the prefix.
  ...absent('0f', [undefined], [[0x71, 0x73]], { form: 'reg' }),
  ...absent('0f', ['f2'], [0x16], { form: 'reg' }),
  ...absent('0f38', MMX, [
    [0x00, 0x0c],
    [0x1c, 0x1e],
  ]),
  ...absent('0f38', XMM, [[0x0d, 0x0f], 0x10, [0x13, 0x15], 0x17, 0x18, [0x20, 0x25], [0x28, 0x29], 0x2b, [0x30, 0x35], [0x37, 0x41]]),
  ...absent('0f38', XMM, [
    [0x45, 0x47],
    [0x58, 0x59],
    [0x78, 0x79],
    [0x96, 0x9f],
    [0xa6, 0xaf],
    [0xb6, 0xbf],
    [0xdb, 0xdf],
  ]),
  ...absent('0f38', XMM, [0x2a, [0x2c, 0x2f], 0x8c, 0x8e, [0x90, 0x93]], MEMORY),
  ...absent('0f38', ['none'], [0xf2, 0xf3, 0xf5, 0xf7]),
  ...absent('0f38', ['66'], [0xf7]),
  ...absent('0f38', ['f3', 'f2'], [0xf5, 0xf7]),
  ...absent('0f3a', MMX, [0x0f], IMMEDIATE),
  ...absent('0f3a', XMM, [0x02, [0x04, 0x05], [0x08, 0x0e], [0x14, 0x17], 0x1d, [0x20, 0x22], [0x40, 0x42], 0x44], IMMEDIATE),
  ...absent('0f3a', XMM, [[0x4a, 0x4c], [0x60, 0x63], 0xdf], IMMEDIATE),
  ...absent('0f3a', ['f2'], [0xf0], IMMEDIATE),
];
