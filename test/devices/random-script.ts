import type { AccessSize } from '../../src/core/bus.js';
import type { Step } from './port-script.js';

/** Small deterministic generator (xorshift32); `seed` must not be 0. */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed | 0 || 1;
  }
  /** An integer from 0 to limit - 1. */
  below(limit: number): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x;
    return (x >>> 0) % limit;
  }
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
  byte(): number {
    return this.below(256);
  }
}

const input = (port: number, size: AccessSize = 1): Step => ({ op: 'in', port, size });
const output = (port: number, value: number, size: AccessSize = 1): Step => ({ op: 'out', port, size, value });
const load = (address: number): Step => ({ op: 'load', address });
const store = (address: number, value: number): Step => ({ op: 'store', address, value: value >>> 0 });
const either = (r: Random, port: number): Step => (r.below(2) ? input(port) : output(port, r.byte()));

function pic(r: Random): Step[] {
  const base = r.pick([0x20, 0xa0]);
  switch (r.below(6)) {
    case 0:
      return [output(base, 0x11 | r.below(16)), output(base + 1, r.byte()), output(base + 1, r.byte()), output(base + 1, r.byte() & 0x13)];
    case 1:
      return [output(base + 1, r.byte()), input(base)];
    case 2:
      return [output(base, r.pick([0x0a, 0x0b, 0x0c, 0x68, 0x48])), input(base + r.below(2))];
    case 3:
      return [output(base, r.pick([0x20, 0x60, 0xa0, 0xc0, 0xe0, 0x80, 0x00, 0x40]) | r.below(8)), input(base)];
    case 4:
      return [either(r, r.pick([0x4d0, 0x4d1])), input(base)];
    default:
      return [input(base), input(base + 1)];
  }
}

function pit(r: Random): Step[] {
  const port = 0x40 + r.below(3);
  switch (r.below(4)) {
    case 0: {
      const mode = output(0x43, ((port & 3) << 6) | ((1 + r.below(3)) << 4) | (r.below(8) << 1));
      return [mode, output(port, r.byte()), output(port, r.pick([0, 0, 1, 2, r.byte()]))];
    }
    case 1:
      return [output(0x43, r.pick([0xc0, 0xd0, 0xe0]) | (r.below(8) << 1)), input(port), input(port), input(port)];
    case 2:
      return [output(0x43, (port & 3) << 6), input(port), input(port)];
    default:
      return [either(r, 0x61), input(0x61), input(port)];
  }
}

function rtc(r: Random): Step[] {
  const index = r.pick([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 11, 11, 12, 12, 13, 0x32, 0x37, 0x0f, 0x40]);
  const select = output(0x70, index);
  if (r.below(3)) return [select, input(0x71)];
  const digits = (limit: number): number => ((n) => ((n / 10) << 4) | (n % 10))(r.below(limit));
  const value = [
    digits(60),
    r.pick([0xc0, digits(60)]),
    digits(60),
    r.pick([0xc0, digits(60)]),
    digits(24),
    r.pick([0xc0, digits(24)]),
    1,
    digits(28) + 1,
    digits(12) + 1,
  ];
  if (index === 10) return [select, output(0x71, r.pick([0x20, 0x26, 0x21, 0x2d, 0x2f, 0x66, 0x76, 0x06])), input(0x71)];
  if (index === 11) return [select, output(0x71, r.byte() & ~r.pick([0x80, 0x80, 0])), input(0x71)];
  return [select, output(0x71, value[index] ?? (index === 9 ? digits(100) : index > 0x30 && index < 0x38 ? 0x20 : r.byte())), input(0x71)];
}

/** Keyboard controller steps; the machine must not reset nor lose A20. */
function keyboard(r: Random): Step[] {
  const command = r.pick([
    0x20, 0x60, 0xa7, 0xa8, 0xa9, 0xaa, 0xab, 0xad, 0xae, 0xc0, 0xd0, 0xd1, 0xd2, 0xd3, 0xd4, 0xd4, 0xd4, 0xdf, 0xff,
  ]);
  const device = [
    0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xeb, 0xec, 0xed, 0xee, 0xf0, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xff, 0xfa, 0xfc, 0, 1, 2, 3, 5, 200, 100, 80,
  ];
  switch (r.below(4)) {
    case 0:
      return [
        output(0x64, command),
        output(0x60, command === 0xd1 ? r.byte() | 3 : command >= 0xd2 ? r.pick(device) : r.byte() | 3),
        input(0x64),
      ];
    case 1:
      return [output(0x64, 0xd4), output(0x60, r.pick(device)), input(0x64), input(0x60), input(0x60)];
    case 2:
      return [output(0x64, 0xdf), input(0x60), input(0x64), input(0x60)];
    default:
      return [input(0x64), input(0x60), input(0x64)];
  }
}

function uart(r: Random): Step[] {
  const port = 0x3f8 + r.below(8);
  if (r.below(3) === 0) return [input(0x3fa), input(0x3fd), input(0x3f8)];
  if (r.below(4) === 0) return [output(0x3fc, 0x10 | r.below(16)), output(0x3f8, r.byte()), input(0x3fa), input(0x3fd)];
  return [either(r, port), input(0x3f8 + r.below(8))];
}

function dma(r: Random): Step[] {
  const port = r.pick([r.below(16), 0x80 + r.below(16), 0xc0 + r.below(32)]);
  return [either(r, port), input(port)];
}

function hpet(r: Random): Step[] {
  const base = 0xfed00000;
  const timer = base + 0x100 + r.below(4) * 0x20;
  const near = r.pick([100, 1000, 5000, 100000]) + r.below(1000);
  switch (r.below(6)) {
    case 0:
      return [store(base + 0x10, r.below(4)), load(base + 0xf0)];
    case 1:
      return [store(timer, (r.below(0x80) << 1) | (r.below(2) << 8) | (r.pick([2, 5, 16]) << 9)), load(timer)];
    case 2:
      return [store(timer + 8, near), load(timer + 8), load(timer + 12)];
    case 3:
      return [store(base + 0x20, r.below(16)), load(base + 0x20)];
    case 4:
      // Not far up: QEMU catches up with the counter period by period.
      return [store(base + 0xf0, r.pick([0, 1000, 0xfffffc00])), store(base + 0xf4, 0), load(base + 0xf0), load(base + 0xf4)];
    default:
      return [load(base + r.below(0x40) * 4), load(base + 0x20)];
  }
}

function apic(r: Random): Step[] {
  const base = 0xfee00000;
  const entry = r.pick([0x10000, 0, 0, 0x700, 0x8000, 0x20000]) | r.byte();
  switch (r.below(6)) {
    case 0:
      return [store(base + 0xf0, r.below(0x200)), load(base + 0xf0)];
    case 1:
      return [store(base + 0x320 + r.below(6) * 0x10, entry), load(base + 0x320)];
    case 2:
      return [store(base + 0x380, r.pick([0, 1000, 100000]) + r.below(500)), load(base + 0x390)];
    case 3:
      return [store(base + 0x3e0, r.byte()), load(base + 0x390)];
    case 4:
      return [store(base + r.pick([0x20, 0x80, 0xb0, 0xd0, 0xe0, 0x310]), r.below(0x10000) * 0x10001), load(base + 0xa0)];
    default:
      return [
        store(base + 0x300, r.byte() | r.pick([0, 0x8000, 0x100, 0x700, 0x800]) | (r.below(4) << 18)),
        load(base + 0x200 + r.below(8) * 0x10),
      ];
  }
}

function ioapic(r: Random): Step[] {
  const base = 0xfec00000;
  const pin = r.pick([1, 2, 4, 5, 8, 12, 16]);
  const entry = r.byte() | r.pick([0, 0, 0x8000, 0x8000, 0x10000, 0x700, 0x100, 0x5000]);
  const select = (register: number): Step => store(base, register);
  switch (r.below(3)) {
    case 0:
      return [select(0x10 + pin * 2), store(base + 0x10, entry), load(base + 0x10)];
    case 1:
      return [select(r.below(0x48)), load(base + 0x10), store(base + 0x40, r.byte())];
    default:
      return [select(0x11 + pin * 2), store(base + 0x10, r.pick([0, 0x01000000, 0xff000000])), load(base + 0x10)];
  }
}

/** Reads of everything where interrupts leave traces. */
function look(): Step[] {
  const requests = Array.from({ length: 8 }, (_, i) => load(0xfee00200 + i * 16));
  return [input(0x20), input(0xa0), load(0xfed00020), load(0xfee00390), ...requests];
}

function delay(r: Random): Step[] {
  return [{ op: 'delay', turns: 1 + r.pick([r.below(20), r.below(500), r.below(20000), r.below(300000)]) }];
}

export const SCRIPT_PARTS = { pic, pit, rtc, keyboard, uart, dma, hpet, apic, ioapic } as const;
export type ScriptPart = keyof typeof SCRIPT_PARTS;

/** A random script of about `groups` groups of accesses to the parts named, with delays and looks at the interrupt state between them. */
export function randomScript(seed: number, parts: readonly ScriptPart[], groups: number): Step[] {
  const r = new Random(seed);
  const steps: Step[] = [];
  for (let i = 0; i < groups; i++) {
    steps.push(...SCRIPT_PARTS[r.pick(parts)](r));
    if (r.below(3) === 0) steps.push(...delay(r));
    if (r.below(12) === 0) steps.push(...look());
  }
  return steps;
}
