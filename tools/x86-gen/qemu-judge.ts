import { spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CpuModelName } from '../../jit/x86/cpu.js';
import { describeCase, FX_BYTES, type Outcome, type TestCase } from './case.js';
import { IN_BYTES, MOST_CASES, OUT_BYTES, RAM_BYTES, readOutcome, writeCases, writeTables } from './image.js';

const ROM_ADDRESS = 0xf0000;
/** Where the ROM counts, and the vector and EIP of its own exception (runner.asm). */
const CASES_LEFT = 0x518;

/** Runs cases in qemu-system-i386 (TCG, one instruction per block) and gives what came out. Needs nasm and qemu-system-i386. */
export function runInQemu(cases: readonly TestCase[], model: CpuModelName): Outcome[] {
  const outcomes: Outcome[] = [];
  for (let at = 0; at < cases.length; at += MOST_CASES) outcomes.push(...runBatch(cases.slice(at, at + MOST_CASES), model));
  return outcomes;
}

function runBatch(cases: readonly TestCase[], model: CpuModelName): Outcome[] {
  const folder = mkdtempSync(join(tmpdir(), 'x86-gen-'));
  try {
    const rom = join(folder, 'rom.bin');
    run('nasm', ['-f', 'bin', '-o', rom, fileURLToPath(new URL('runner.asm', import.meta.url))], 0);
    const ram = new Uint8Array(0x400000 + cases.length * (IN_BYTES + OUT_BYTES + 2 * FX_BYTES) + 4096);
    writeTables(ram, ROM_ADDRESS);
    const layout = writeCases(ram, cases);
    const ramFile = join(folder, 'ram');
    const file = openSync(ramFile, 'w+');
    writeSync(file, ram);
    ftruncateSync(file, RAM_BYTES);
    try {
      run('qemu-system-i386', qemuArguments(rom, ramFile, model), 1);
    } catch (error) {
      readSync(file, ram, 0, ram.length, 0);
      const [left, vector, eip] = new Uint32Array(ram.buffer, CASES_LEFT, 3);
      const at = cases[cases.length - left!];
      const last = at === undefined ? '' : describeCase(at);
      throw new Error(`${String(error)}exception in the ROM, if any: ${vector} at ${eip!.toString(16)}; case\n${last}`);
    }
    readSync(file, ram, 0, ram.length, 0);
    closeSync(file);
    return cases.map((c, n) => readOutcome(ram, c, layout, n));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function qemuArguments(rom: string, ram: string, model: CpuModelName): string[] {
  const memory = `memory-backend-file,id=ram,size=${RAM_BYTES},mem-path=${ram},share=on`;
  return [
    ...['-accel', 'tcg,thread=single', '-singlestep', '-machine', 'pc,memory-backend=ram', '-m', `${RAM_BYTES >> 20}M`, '-cpu', model],
    ...['-object', memory, '-nodefaults', '-display', 'none', '-bios', rom, '-device', 'isa-debug-exit,iobase=0xf4,iosize=4', '-no-reboot'],
  ];
}

/** isa-debug-exit gives 2 * value + 1. */
function run(program: string, args: readonly string[], expectedStatus: number): void {
  const result = spawnSync(program, args, { encoding: 'utf8', timeout: 600_000 });
  if (result.error !== undefined) throw result.error;
  if (result.status === expectedStatus) return;
  throw new Error(`${program} ended with status ${result.status} ${result.signal ?? ''}, expected ${expectedStatus}\n${result.stderr}`);
}

/** QEMU's version line, for reports. */
export function qemuVersion(): string {
  return spawnSync('qemu-system-i386', ['--version'], { encoding: 'utf8' }).stdout.split('\n')[0]!;
}
