// Oracle: reference engine (the same engine without an observer)
import { describe, expect, it } from 'vitest';
import type { Block } from '../../jit/x86/block.js';
import type { BlockObserver } from '../../jit/x86/block-observer.js';
import { Engine, type JitMode } from '../../jit/x86/engine.js';
import { EFLAGS, EIP, ESP, LEFT } from '../../jit/x86/regs.js';
import { digestMachine } from '../../src/core/digest.js';
import { TestMachine } from './two-machines.js';

const CODE = 0x1000;
const HANDLER = 0x1800;
const IDT = 0x600;
const GDT = 0x500;

/** Sums up what it is told of. */
class Notebook implements BlockObserver {
  readonly calls: string[] = [];
  instructions = 0;
  private readonly r: Int32Array;
  private mark = -1;

  constructor(r: Int32Array) {
    this.r = r;
  }

  before(block: Block): void {
    expect(this.mark).toBe(-1);
    expect(block.eip).toBe(this.r[EIP]);
    this.mark = this.r[LEFT]!;
    this.calls.push(block.eip.toString(16));
  }

  after(): void {
    this.settle();
  }

  delivered(): void {
    this.settle();
    this.calls.push(`delivered ${this.r[EIP]!.toString(16)}`);
  }

  sliceEnded(): void {
    this.settle();
  }

  private settle(): void {
    if (this.mark >= 0) this.instructions += this.mark - this.r[LEFT]!;
    this.mark = -1;
  }
}

function makeRun(jit: JitMode, watched: boolean): { machine: TestMachine; engine: Engine; notes: Notebook } {
  const machine = new TestMachine();
  const { cpu, memory } = machine;
  const u32 = (at: number, ...words: number[]): void => {
    for (const [k, w] of words.entries()) memory.dv.setInt32(at + 4 * k, w, true);
  };
  u32(GDT, 0, 0, 0xffff, 0xcf9b00, 0xffff, 0xcf9300);
  for (let v = 0; v < 32; v++) u32(IDT + 8 * v, (8 << 16) | HANDLER, 0x8e00);
  Object.assign(cpu, { gdtBase: GDT, gdtLimit: 23, idtBase: IDT, idtLimit: 0xff });
  // mov ecx,50; L: dec ecx; jnz L; int 3 (handler skips nothing); div by zero (handler skips it); mov ax,[device]; jmp start
  const code = [0xb9, 50, 0, 0, 0, 0x49, 0x75, 0xfd, 0xcd, 3, 0x31, 0xdb, 0xf7, 0xf3, 0x66, 0xa1, 0, 0, 0x18, 0, 0xeb, 0xea];
  memory.u8.set(code, CODE);
  // inc esi; cmp dword [esp], div; jne done; add dword [esp], 2; done: iret
  memory.u8.set([0x46, 0x81, 0x3c, 0x24, 0x0c, 0x10, 0, 0, 0x75, 4, 0x83, 0x04, 0x24, 2, 0xcf], HANDLER);
  machine.protectedMode(true, 0, [0, 0, 0, 0, 0, 0]);
  const { r } = cpu;
  r[ESP] = 0x3f000;
  r[EIP] = CODE;
  r[EFLAGS] = 2;
  const notes = new Notebook(r);
  return { machine, engine: new Engine(cpu, { jit, hot: 20, ...(watched ? { observer: () => notes } : {}) }), notes };
}

describe.each(['off', 'on', 'force'] as const)('an observer of blocks, JIT %s', (jit) => {
  it('sees every instruction, and changes nothing', () => {
    const [plain, watched] = [makeRun(jit, false), makeRun(jit, true)];
    for (const slice of [1, 7, 120, 13, 2500, 1, 9000]) {
      for (const { engine } of [plain, watched]) {
        const to = engine.icount + slice;
        while (engine.icount < to) expect(['budget', 'kick']).toContain(engine.run(to - engine.icount));
      }
      expect(watched.notes.instructions).toBe(watched.engine.icount);
      const [a, b] = [plain, watched].map(({ machine }) => digestMachine({ cpu: machine.cpu }, machine.memory.u8).total);
      expect(b).toBe(a);
    }
    expect(plain.notes.calls).toEqual([]);
  });

  it('is told in which order', () => {
    const { engine, notes } = makeRun(jit, true);
    while (engine.icount < 120) engine.run(120 - engine.icount);
    const order = notes.calls.filter((call, k) => call !== notes.calls[k - 1]);
    const turn = ['1000', '1005', '1008', 'delivered 1800', '1800', '180e', '100a', 'delivered 1800', '1800', '180a', '100e', '1014'];
    expect(order.slice(0, 12)).toEqual(turn);
  });
});
