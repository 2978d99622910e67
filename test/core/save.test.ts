// Oracle: self-consistency (a part restored from its saved state is the same part).
import { describe, expect, it } from 'vitest';
import { digestMachine } from '../../src/core/digest.js';
import { UserError } from '../../src/core/errors.js';
import { describeFields, restoreState, saveState } from '../../src/core/save.js';
import type { StatefulPart, StateSchema } from '../../src/core/state.js';
import { TimerList } from '../../src/core/timers.js';

class Leaf implements StatefulPart {
  readonly schema: StateSchema = { name: 'leaf', version: 1, fields: { value: 'u8' } };
  value = 0;
}

class Everything implements StatefulPart {
  readonly schema: StateSchema = {
    name: 'everything',
    version: 3,
    fields: {
      flag: 'bool',
      byte: 'u8',
      word: 'u16',
      unsigned: 'u32',
      signed: 'i32',
      time: 'int',
      none: 'int',
      host: 'i64',
      bytes: 'bytes',
      ints32: 'i32s',
      floats: 'f64s',
      queue: 'ints',
      blob: 'blob',
      timer: 'timer',
      leaf: 'part',
      leaves: 'parts',
    },
  };
  flag = false;
  byte = 0;
  word = 0;
  unsigned = 0;
  signed = 0;
  time: number | null = 0;
  none: number | null = 0;
  host = 0n;
  readonly bytes = new Uint8Array(3);
  readonly ints32 = new Int32Array(2);
  readonly floats = new Float64Array(1);
  queue: number[] = [];
  blob = new Uint8Array(0);
  readonly timer;
  readonly leaf = new Leaf();
  readonly leaves = [new Leaf(), new Leaf()];
  restored = 0;
  constructor(list: TimerList<number>) {
    this.timer = list.create('t', () => {});
  }
  afterRestore(): void {
    this.restored++;
  }
}

function filled(): Everything {
  const e = new Everything(new TimerList<number>());
  Object.assign(e, {
    flag: true,
    byte: 200,
    word: 60000,
    unsigned: 4e9,
    signed: -5,
    time: 2 ** 52 + 1,
    none: null,
    host: -(2n ** 62n),
    queue: [1, 2 ** 40],
    blob: Uint8Array.of(9, 8),
  });
  e.bytes.set([1, 2, 3]);
  e.ints32.set([-1, 7]);
  e.floats.set([0.5]);
  e.leaf.value = 5;
  e.leaves[1]!.value = 6;
  e.timer.arm(123456789012345);
  return e;
}

describe('saved state', () => {
  it('brings back every kind of field', () => {
    const copy = new Everything(new TimerList<number>());
    restoreState(copy, saveState(filled()));
    expect(describeFields(copy)).toEqual(describeFields(filled()));
    expect(copy.none).toBeNull();
    expect(copy.timer.deadline).toBe(123456789012345);
    expect(copy.restored).toBe(1);
  });

  it('is refused at every truncation with a clear error', () => {
    const bytes = saveState(filled());
    for (let n = 0; n < bytes.length; n++)
      expect(() => restoreState(new Everything(new TimerList<number>()), bytes.subarray(0, n))).toThrow(UserError);
  });

  it('is described by texts that differ wherever the field does', () => {
    const big = (at: number): Everything => Object.assign(filled(), { blob: new Uint8Array(200_000).fill(1, at, at + 1) });
    expect(describeFields(big(150_000))).toEqual(describeFields(big(150_000)));
    expect(describeFields(big(150_000)).blob).not.toBe(describeFields(big(150_001)).blob);
    expect(describeFields(big(0)).blob).toMatch(/^[0-9a-f]{128}\.\.\. \(200004 bytes, SHA-256 [0-9a-f]{16}\)$/);
  });

  it('is not made of lists that could not be restored', () => {
    const long = Object.assign(filled(), { blob: new Uint8Array((1 << 24) + 1) });
    expect(() => saveState(long)).toThrow(/16777217 elements/);
  });

  it('is refused by a part of another type or version', () => {
    expect(() => restoreState(new Leaf(), saveState(filled()))).toThrow(/leaf version 1/);
  });

  it('gives a digest that names the part and the page that differ', () => {
    const memory = new Uint8Array(3 * 4096);
    const a = digestMachine({ x: filled(), y: new Leaf() }, memory);
    memory[5000] = 1;
    const b = digestMachine({ x: filled(), y: new Leaf() }, memory);
    expect(a.parts).toEqual(b.parts);
    expect(a.pages.size).toBe(0);
    expect([...b.pages.keys()]).toEqual([1]);
    expect(a.total).not.toBe(b.total);
  });

  it('gives the digest that every Node version gave', () => {
    expect(digestMachine({ x: filled() }, new Uint8Array(4096).fill(7)).total).toMatchInlineSnapshot(`"5d9fc242050f566d7063b92149b40408"`);
  });
});
