// Oracle: QEMU run (7.2.22)
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { JitMode } from '../../jit/x86/engine.js';
import type { Row } from '../../jit/x86/insn.js';
import { mmxRows } from '../../jit/x86/table/mmx.js';
import { sseRows } from '../../jit/x86/table/sse.js';
import { Random } from '../../tools/x86-gen/random.js';
import { PATIENCE_MS, requireTool } from '../tools.js';
import { TinyBoard } from './tiny-board.js';

const present = requireTool('qemu-system-i386', 'qemu-system-x86') && requireTool('nasm', 'nasm');

/** As in sse-control.asm: a page of cases of 32 bytes, the first being their number, then the ROM. */
const CASES = 0xe0000;
const CASE_BYTES = 32;
const CASES_BYTES = 0x10000;
const MOST_CASES = CASES_BYTES / CASE_BYTES - 1;
const RESULT_BYTES = 12;
/** What stands before the FXSAVE image in the ROM. */
const FX_LABEL = 'FXIMAGE:';
const FX_BYTES = 512;
const CR0 = 0x33;
const CR0_EM = 4;
const CR0_TS = 8;
const CR4 = 0x400;
const CR4_OSFXSR = 0x200;

interface ControlCase {
  readonly cr0: number;
  readonly cr4: number;
  readonly code: readonly number[];
}

function codeOf(row: Row, register: boolean, lock: boolean, random: Random): number[] {
  const code: number[] = [];
  if (lock) code.push(0xf0);
  if (row.prefix !== undefined && row.prefix !== 'none') code.push(Number.parseInt(row.prefix, 16));
  code.push(0x0f, row.opcode);
  // [esi], or a register other than ESP.
  if (row.modrm)
    code.push(((row.digit ?? random.pick([0, 1, 2, 3, 5])) << 3) | (register ? 0xc0 | (row.rm ?? random.pick([0, 1, 2, 3])) : 6));
  if (row.imm === 'b') code.push(random.below(256));
  return code;
}

/** Random instructions of the tables under random settings of CR0.EM, CR0.TS and CR4.OSFXSR, a third with LOCK. */
function makeCases(random: Random): ControlCase[] {
  const rows = [...mmxRows, ...sseRows].filter((row) => row.test !== 'skip' && row.name !== 'ldmxcsr');
  return Array.from({ length: MOST_CASES }, () => {
    const row = random.pick(rows);
    const register = row.form === 'reg' || (row.form !== 'mem' && random.chance(40));
    const cr0 = CR0 | (random.chance(35) ? CR0_EM : 0) | (random.chance(35) ? CR0_TS : 0);
    const cr4 = CR4 | (random.chance(65) ? CR4_OSFXSR : 0);
    return { cr0, cr4, code: codeOf(row, register, random.chance(33), random) };
  });
}

function makeImage(cases: readonly ControlCase[], rom: Uint8Array, random: Random): Uint8Array {
  const image = new Uint8Array(CASES_BYTES + rom.length);
  const dv = new DataView(image.buffer);
  dv.setUint32(0, cases.length, true);
  cases.forEach((c, n) => {
    const at = (n + 1) * CASE_BYTES;
    dv.setUint32(at, c.cr0, true);
    dv.setUint32(at + 4, c.cr4, true);
    image.fill(0xcc, at + 8, at + CASE_BYTES);
    image.set(c.code, at + 8);
  });
  image.set(rom, CASES_BYTES);
  // x87 TOP 3 and some registers empty, numbers of modest size in the XMM registers.
  const fx = CASES_BYTES + Buffer.from(rom).indexOf(FX_LABEL) + FX_LABEL.length;
  dv.setUint16(fx, 0x37f, true);
  dv.setUint16(fx + 2, 3 << 11, true);
  image[fx + 4] = 0x5a;
  dv.setUint32(fx + 24, 0x1f80, true);
  for (let k = 32; k < FX_BYTES - 96; k += 4) dv.setUint32(fx + k, 0x3f000000 + (random.bits() & 0xffffff), true);
  return image;
}

function runQemu(image: Uint8Array, directory: string): Uint8Array {
  const bios = join(directory, 'bios');
  const output = join(directory, 'output');
  writeFileSync(bios, image);
  const args = ['-accel', 'tcg,thread=single', '-M', 'pc', '-cpu', 'qemu32', '-nodefaults', '-display', 'none', '-bios', bios];
  const exit = ['-device', 'isa-debug-exit,iobase=0xf4,iosize=4', '-debugcon', `file:${output}`];
  const result = spawnSync('qemu-system-i386', [...args, ...exit], { encoding: 'utf8', timeout: PATIENCE_MS });
  expect(result.status, result.stderr).toBe(1);
  return new Uint8Array(readFileSync(output));
}

function runHere(image: Uint8Array, jit: JitMode): Uint8Array {
  const board = new TinyBoard({ rom: image.subarray(CASES_BYTES), jit });
  board.memory.u8.set(image.subarray(0, CASES_BYTES), CASES);
  let done = false;
  board.onPort = (port, value) => {
    done ||= port === 0xf4 && value !== null;
    return 0;
  };
  for (let slice = 0; slice < 1000 && !done; slice++) board.engine.run(100_000);
  return Uint8Array.from(board.events.filter((e) => e.kind === 'write').map((e) => e.value));
}

function compare(cases: readonly ControlCase[], expected: Uint8Array, found: Uint8Array): string[] {
  expect(expected.length).toBe(cases.length * RESULT_BYTES);
  return cases.flatMap((c, n) => {
    const [e, f] = [expected, found].map((all) => Buffer.from(all.subarray(n * RESULT_BYTES, (n + 1) * RESULT_BYTES)).toString('hex'));
    return e === f
      ? []
      : [`${Buffer.from(c.code).toString('hex')} cr0 ${c.cr0.toString(16)} cr4 ${c.cr4.toString(16)}: QEMU ${e}, here ${f}`];
  });
}

describe.skipIf(!present)('MMX and SSE under CR0.EM, CR0.TS, CR4.OSFXSR and LOCK against QEMU', () => {
  it('raise the same exceptions, and otherwise do the same, as interpreted and as translated code', () => {
    const seed = (Math.random() * 0x100000000) >>> 0;
    const random = new Random(seed);
    const cases = makeCases(random);
    const directory = mkdtempSync(join(tmpdir(), 'sse-control-'));
    try {
      const rom = join(directory, 'rom');
      const assembled = spawnSync('nasm', ['-f', 'bin', '-o', rom, join(import.meta.dirname, 'sse-control.asm')], { encoding: 'utf8' });
      expect(assembled.status, assembled.stderr).toBe(0);
      const image = makeImage(cases, readFileSync(rom), random);
      const expected = runQemu(image, directory);
      for (const jit of ['off', 'on'] as const) {
        const different = compare(cases, expected, runHere(image, jit));
        expect(different.slice(0, 5), `seed ${seed}, jit ${jit}: ${different.length} of ${cases.length} differ`).toEqual([]);
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
