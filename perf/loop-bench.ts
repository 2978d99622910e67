/**
 * The 9-instruction memory loop (load, add, xor, rol, add, store, add, dec, jnz) as guest code in protected mode:
 * generated code against the interpreter's `exec`, side by side. Prints million guest instructions per second.
 */
import { EAX, ECX, EDI, EDX, EIP, ESI, LEFT } from '../jit/x86/regs.js';
import { TestBlock, TestMachine } from '../test/jit/two-machines.js';

const LOOP = [0x8b, 0x06, 0x83, 0xc6, 4, 0x31, 0xd0, 0xc1, 0xc0, 5, 0x01, 0xc2, 0x89, 0x17, 0x83, 0xc7, 4, 0x49, 0x75, 0xec];
const ORIGIN = 0x1000;
const TURNS = 0x20000;

const machine = new TestMachine();
machine.protectedMode(true, 0, [0, 0, 0, 0, 0, 0]);
const block = new TestBlock(LOOP, ORIGIN, machine.cpu.mode);

function start(turns: number): void {
  const r = machine.cpu.r;
  r[ECX] = turns;
  r[ESI] = 0x10000;
  r[EDI] = 0xc0000;
  r[EAX] = 0;
  r[EDX] = 12345;
  r[EIP] = ORIGIN;
  r[LEFT] = 0x7fffffff;
}

function measure(name: string, turns: number, run: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let k = 0; k < 200; k++) {
    start(turns);
    const t = performance.now();
    run();
    best = Math.min(best, performance.now() - t);
  }
  const speed = (9 * turns) / best / 1e3;
  console.log(`${name.padEnd(14)} ${speed.toFixed(0).padStart(6)} million/s, edx ${machine.cpu.r[EDX]! >>> 0}`);
  return speed;
}

const fn = block.compile(machine.cpu);
const interpreted = measure('interpreted', TURNS / 16, () => machine.run(block, null));
const generated = measure('generated', TURNS, fn);
console.log(`ratio ${(generated / interpreted).toFixed(1)}`);
