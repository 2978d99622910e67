// Oracle: self-consistency (a restored machine, object by object, beside the one that was saved)
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TlbState } from '../../jit/x86/tlb-state.js';
import { configure } from '../../src/machine/config.js';
import { RECORDINGS, temporaryFolder } from '../cli.js';
import { recordedMachine } from '../machines.js';
import { demoGuest, record } from '../replay/scripted.js';
import { requireTool } from '../tools.js';
import { type Replayed, Replaying } from './replaying.js';

/** What two machines in the same state may differ in, by class: none of it decides what a guest sees. */
const FREE: Readonly<Record<string, readonly string[]>> = {
  // Compared by TlbState; slow marks and what is known about entries only cost time.
  Cpu: [
    ...['supervisorRead', 'supervisorWrite', 'supervisorExecute', 'userRead', 'userWrite', 'userExecute', 'tlbRead', 'tlbWrite'],
    ...['tlbFilled', 'tlbFilledCount', 'tlbHasLargePage', 'writeMapped', 'linearWritten', 'linearRead', 'mapChanges', 'fastPaths'],
    // Of the instruction that was executed last.
    ...['insnEip', 'breakBlock', 'exitSlice'],
    // Decoded code.
    'codeWatcher',
  ],
  // Marks of pages with decoded code, and of written ones.
  PhysicalMemory: ['codePage', 'dirtyPage'],
  // Decoded and translated code; how the run was sliced.
  Engine: ['blocks', 'breakpoints', 'translations', 'slices', 'sliceEnd', 'kicked'],
  // A file that is read ahead.
  ReplaySession: ['source', 'cpuSide'],
};

/** Cleared before each operation. */
const FREE_PATHS = ['.0.cpu.fpu.status.flags'];

/** Paths at which two graphs of objects differ. Functions are not looked into. */
function differences(a: unknown, b: unknown): string[] {
  const found: string[] = [];
  const seen = new Map<object, object>();
  const walk = (left: unknown, right: unknown, path: string): void => {
    if (found.length > 40 || (typeof left === 'function' && typeof right === 'function')) return;
    if (typeof left !== 'object' || left === null || typeof right !== 'object' || right === null) {
      if (!Object.is(left, right) && !FREE_PATHS.includes(path)) found.push(`${path}: ${String(left)} / ${String(right)}`);
      return;
    }
    if (seen.get(left) === right) return;
    seen.set(left, right);
    if (left.constructor !== right.constructor) {
      found.push(`${path}: ${left.constructor.name} / ${right.constructor.name}`);
      return;
    }
    if (ArrayBuffer.isView(left) && ArrayBuffer.isView(right)) {
      const bytes = (view: ArrayBufferView): Buffer => Buffer.from(view.buffer, view.byteOffset, view.byteLength);
      if (!bytes(left).equals(bytes(right))) found.push(`${path}: bytes differ`);
      return;
    }
    if (left instanceof Map && right instanceof Map) {
      walk([...left.keys()], [...right.keys()], `${path} keys`);
      for (const [key, value] of left) walk(value, right.get(key), `${path}[${String(key)}]`);
      return;
    }
    if (left instanceof Set && right instanceof Set) {
      walk([...left], [...right], path);
      return;
    }
    const free = FREE[left.constructor?.name ?? ''] ?? [];
    const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
    for (const key of keys)
      if (!free.includes(key)) walk((left as Record<string, unknown>)[key], (right as Record<string, unknown>)[key], `${path}.${key}`);
  };
  walk(a, b, '');
  return found;
}

/** Restores new machines from moments of a replay, and compares them with the machine there. */
function judge(replayed: Replayed, end: number, moments: number): void {
  const saver = new Replaying(replayed, 'off');
  for (let k = 1; k <= moments; k++) {
    // An odd distance: every moment lies elsewhere in what the guest does again and again.
    saver.run(Math.floor((end * k) / moments) - 17 * k);
    const copy = new Replaying(replayed, 'off');
    copy.restore(saver.save());
    const at = saver.machine.engine.icount;
    expect([at, copy.machine.engine.icount]).toEqual([at, at]);
    expect([at, differences([saver.machine, saver.session], [copy.machine, copy.session])]).toEqual([at, []]);
    expect(TlbState.of(copy.machine.cpu)).toEqual(TlbState.of(saver.machine.cpu));
    copy.close();
  }
  saver.close();
}

const folder = temporaryFolder();

describe('a restored machine has in all its objects what the saved one had', () => {
  it('in the demo guest', () => {
    const { log, config, format } = record(join(folder, 'demo.rr'), demoGuest(folder), '5.2', 1_500_000);
    judge({ log, config, format, strict: true }, 1_500_000, 4);
  });

  it.each(['t3', 't6'] as const)('in %s, recorded by QEMU', (guest) => {
    judge({ log: join(RECORDINGS, `${guest}.rr`), config: configure(recordedMachine(guest)), strict: false }, 4000, 3);
  });

  const SEABIOS = '/usr/share/seabios/bios-256k.bin';
  it.skipIf(!requireTool(SEABIOS, 'seabios'))('in SeaBIOS, with display, disk controller and keyboard', () => {
    const config = configure({ memory: '16M', bios: SEABIOS, debugcon: 'null' });
    const { log, format } = record(join(folder, 'seabios.rr'), config, '5.2', 5_000_000);
    judge({ log, config, format, strict: true }, 5_000_000, 3);
  });
});
