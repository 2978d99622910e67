// Oracle: QEMU run (7.2.22), see test/x86/qemu/README.md
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { JitMode } from '../../jit/x86/engine.js';
import { TinyBoard } from './tiny-board.js';

function data(name: string): Buffer {
  return gunzipSync(readFileSync(new URL(`./qemu/${name}.gz`, import.meta.url)));
}

/** Absolute counts and kinds, as in the file. */
function recordedEvents(name: string): string[] {
  let at = 0;
  return data(`${name}.events`)
    .toString()
    .split('\n')
    .map((line) => {
      at += Number.parseInt(line, 10);
      return `${at}${line.at(-1)}`;
    });
}

/** Ports QEMU's PC answers with 0 here; nothing else is read for its value. */
const ZERO_PORTS = new Set([0x70, 0x7f, 0x80]);

function runGuest(name: string, instructions: number, jit: JitMode): TinyBoard {
  const board = new TinyBoard({ rom: data(`${name}.rom`), ramBytes: 0x1000000, jit });
  board.onPort = (port) => (ZERO_PORTS.has(port) ? 0 : 0xff);
  for (let end = 'budget'; end !== 'shutdown' && board.engine.icount < instructions; )
    end = board.engine.run(instructions - board.engine.icount);
  return board;
}

function check(name: string, instructions: number, jit: JitMode): void {
  const { events } = runGuest(name, instructions, jit);
  const written = events.filter((e) => e.kind === 'write').map((e) => e.value);
  const seen = events.map((e) => `${e.icount}${e.kind === 'write' ? 'w' : 'x'}`);
  const expected = recordedEvents(name).filter((event) => Number.parseInt(event, 10) <= instructions);
  const output = [...data(`${name}.output`)].slice(0, expected.filter((event) => event.at(-1) === 'w').length);
  const wrongByte = written.findIndex((value, k) => value !== output[k]);
  expect({ at: wrongByte, bytes: written.length }).toEqual({ at: -1, bytes: output.length });
  const wrongEvent = seen.findIndex((event, k) => event !== expected[k]);
  expect({ at: wrongEvent, events: seen.length }).toEqual({ at: -1, events: expected.length });
}

/** From here to instruction 80,000 the guest runs through cleared memory, in blocks of 512 instructions of which one is executed: translating each takes a minute. */
const BEFORE_CLEARED_MEMORY = 67_000;

describe('system instructions beside QEMU', () => {
  for (const jit of ['off', 'on', 'force'] as const) {
    it(`writes the same state dumps at the same instruction counts in v86, faults, traps, paging and self-modifying code (JIT ${jit})`, () => {
      check('system', jit === 'force' ? BEFORE_CLEARED_MEMORY : 200_000, jit);
    });

    it(`treats every descriptor type as QEMU does in every selector operation (JIT ${jit})`, () => {
      check('selectors', 600_000, jit);
    });
  }
});
