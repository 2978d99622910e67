import type { DebuggedMachine, MachineObserver } from '../../src/debug/machine-thread.js';
import type { DebugCall } from '../../src/debug/messages.js';
import { HumanMonitor } from '../../src/monitor/hmp.js';
import { MachineControl } from '../../src/monitor/machine-control.js';

const segment = (selector: number, base: number, attributes: number) => ({ selector, base, limit: 0xffff, attributes });
/** An i386 after RESET#. */
const REGISTERS = {
  general: [0, 0, 0x663, 0, 0, 0, 0, 0],
  eip: 0xfff0,
  eflags: 2,
  segments: [0, 1, 2, 3, 4, 5].map((n) => (n === 1 ? segment(0xf000, 0xffff0000, 0x9b00) : segment(0, 0, 0x9300))),
  ldt: segment(0, 0, 0x8200),
  task: segment(0, 0, 0x8b00),
  ...{ gdtBase: 0, gdtLimit: 0xffff, idtBase: 0, idtLimit: 0xffff, cr0: 0x60000010, cr2: 0, cr3: 0, cr4: 0, cr8: 0, efer: 0, cpl: 0 },
  debug: [0, 0, 0, 0, 0, 0, 0xffff0ff0, 0x400],
  ...{ smm: false, a20: true, halted: false, inhibitInterrupts: false, fpuControl: 0x37f, fpuStatus: 0, fpuInUse: 0, mxcsr: 0x1f80 },
  fpuRegisters: Array.from({ length: 8 }, () => new Uint8Array(10)),
  xmm: Array.from({ length: 8 }, () => new Uint8Array(16)),
};

/** A machine that remembers what it was asked. */
export class Puppet implements DebuggedMachine {
  readonly asked: (readonly [DebugCall, unknown])[] = [];
  readonly ended = new Promise<void>(() => {});
  readonly observers: MachineObserver[] = [];
  mode: 'play' | 'record' | 'none' = 'play';
  call(call: DebugCall, ask: unknown): Promise<never> {
    this.asked.push([call, ask]);
    const { mode } = this;
    const status = {
      mode,
      running: false,
      motion: null,
      filename: mode === 'none' ? null : 'log.rr',
      position: { icount: 220414, deliveries: 0 },
      breaks: [],
    };
    const memory = Uint8Array.from({ length: (ask as { lengthBytes: number }).lengthBytes ?? 0 }, (_, k) => 0x41 + k);
    const live = mode !== 'play';
    const answers = {
      status,
      registers: REGISTERS,
      readMemory: memory,
      input: live,
      reset: live ? 'taken' : 'refused',
      powerButton: live,
      snapshots: [],
      drives: [],
      describe: ['a'],
    };
    return Promise.resolve((answers as Record<string, unknown>)[call] ?? null) as Promise<never>;
  }
  observe(observer: MachineObserver): () => void {
    this.observers.push(observer);
    return () => {};
  }
}

/** Both monitors' control of a machine that only says yes. */
export function puppetMonitor(mode: Puppet['mode'] = 'play') {
  const machine = new Puppet();
  machine.mode = mode;
  const control = new MachineControl(machine, () => {});
  const human = new HumanMonitor(control);
  return { machine, control, human, say: (line: string) => human.execute(line) };
}
