import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeInsn } from '../../jit/x86/decoder.js';
import { ECX, FLAG_AF, FLAG_CF, FLAG_OF, FLAG_PF, FLAG_SF, FLAG_ZF, FLAGS_ARITH } from '../../jit/x86/regs.js';
import { caseMode, FX_BYTES, type Outcome, type TestCase } from './case.js';
import type { GenerateOptions } from './draft.js';
import { IN_BYTES, OUT_BYTES, readOutcome, writeCases } from './image.js';

/** What the host can run: flat 32-bit code of CPL 3. */
export const HOST_OPTIONS: GenerateOptions = { modes: ['cs32'], segments: false, address16: false, faults: false };

/** The host is an x86-64 Linux that lets 32-bit code run. */
export function hostCanRun(): boolean {
  return process.platform === 'linux' && process.arch === 'x64';
}

/** CPU feature flags as the kernel names them. */
export function hostFeatures(): ReadonlySet<string> {
  const line = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'));
  return new Set(line?.[1]?.trim().split(' ') ?? []);
}

/** Runs cases on this machine's processor. Needs gcc. */
export function runOnHost(cases: readonly TestCase[]): Outcome[] {
  const folder = mkdtempSync(join(tmpdir(), 'x86-host-'));
  try {
    const program = join(folder, 'host-runner');
    const imageFile = join(folder, 'image');
    const source = fileURLToPath(new URL('host-runner.c', import.meta.url));
    run('gcc', ['-O1', '-static-pie', '-fPIE', '-fcf-protection=none', '-o', program, source]);
    const image = new Uint8Array(0x400000 + cases.length * (IN_BYTES + OUT_BYTES + 2 * FX_BYTES) + 4096);
    const layout = writeCases(image, cases);
    writeFileSync(imageFile, image);
    run(program, [imageFile]);
    const result = new Uint8Array(readFileSync(imageFile));
    return cases.map((c, n) => readOutcome(result, c, layout, n));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function run(program: string, args: readonly string[]): void {
  const result = spawnSync(program, args, { encoding: 'utf8', timeout: 600_000 });
  if (result.error !== undefined) throw result.error;
  if (result.status !== 0) throw new Error(`${program} ended with ${result.status ?? result.signal}\n${result.stderr}`);
}

/** A case whose result the SDM leaves undefined, or where QEMU, our model, is known to differ from hardware. */
export function hostMustAgree(c: TestCase): boolean {
  const i = decodeInsn(c.code, 0, caseMode(c));
  switch (c.name) {
    // QEMU takes any /digit.
    case 'mov':
      return !((i.opcode === 0xc6 || i.opcode === 0xc7) && i.reg !== 0);
    case 'pop':
      return !(i.opcode === 0x8f && i.reg !== 0);
    // 16 bits: undefined.
    case 'bswap':
      return !i.opsizePrefix;
    case 'shld':
    case 'shrd':
      return shiftCount(c, i.opcode, i.imm) <= i.size;
    // QEMU adds the immediate sign-extended.
    case 'ret':
      return i.imm < 0x8000;
    case 'nop':
      return !(i.opcode === 0x90);
    default:
      return true;
  }
}

function shiftCount(c: TestCase, opcode: number, imm: number): number {
  const byCl = opcode === 0xd2 || opcode === 0xd3 || opcode === 0xa5 || opcode === 0xad;
  return (byCl ? c.regs[ECX]! : imm) & 31;
}

/** Flags the SDM (Vol. 2, "Flags Affected") leaves undefined after a case. */
export function undefinedFlags(c: TestCase): number {
  const i = decodeInsn(c.code, 0, caseMode(c));
  const count = shiftCount(c, i.opcode, i.imm);
  switch (c.name) {
    case 'and':
    case 'or':
    case 'xor':
    case 'test':
      return FLAG_AF;
    case 'shl':
    case 'sal':
    case 'shr':
    case 'sar':
    case 'shld':
    case 'shrd':
      return count === 0 ? 0 : FLAG_AF | (count > 1 ? FLAG_OF : 0) | (count >= i.size ? FLAG_CF : 0);
    case 'rol':
    case 'ror':
    case 'rcl':
    case 'rcr':
      return count > 1 ? FLAG_OF : 0;
    case 'mul':
    case 'imul':
      return FLAG_SF | FLAG_ZF | FLAG_AF | FLAG_PF;
    case 'div':
    case 'idiv':
      return FLAGS_ARITH;
    case 'bsf':
    case 'bsr':
      return FLAGS_ARITH & ~FLAG_ZF;
    case 'tzcnt':
    case 'lzcnt':
      return FLAGS_ARITH & ~(FLAG_ZF | FLAG_CF);
    case 'bt':
    case 'bts':
    case 'btr':
    case 'btc':
      return FLAG_OF | FLAG_SF | FLAG_AF | FLAG_PF;
    case 'aaa':
    case 'aas':
      return FLAG_OF | FLAG_SF | FLAG_ZF | FLAG_PF;
    case 'aam':
    case 'aad':
      return FLAG_OF | FLAG_AF | FLAG_CF;
    case 'daa':
    case 'das':
      return FLAG_OF;
    default:
      return 0;
  }
}
