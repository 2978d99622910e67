// Oracle: self-consistency (a plain replay, and a full forward trace of single steps).
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pokeMemory } from '../../jit/x86/debug-memory.js';
import { writeRegister } from '../../jit/x86/register-access.js';
import { EIP } from '../../jit/x86/regs.js';
import { comparePositions, type Position } from '../../src/core/debug-target.js';
import { digestMachine } from '../../src/core/digest.js';
import { Debugger } from '../../src/debug/debugger.js';
import { ReplayIncarnator } from '../../src/debug/replay-incarnator.js';
import type { JitMode } from '../../src/machine/job.js';
import { temporaryFolder } from '../cli.js';
import { demoGuest, record, replay } from '../replay/scripted.js';

const config = demoGuest(temporaryFolder());
const recording = record(join(temporaryFolder(), 'a.rr'), config, '5.2', 860_000);

function debug(jit: JitMode): Debugger {
  const job = { kind: 'replay', config, log: recording.log, logFormat: '5.2', until: null, jit } as const;
  const trail = jit === 'off' ? {} : { rungs: [100_000, 10_000, 3_000, 500], everyMs: 0, everyInstructions: 700, moments: 9 };
  return new Debugger(new ReplayIncarnator({ ...job, screenshot: false, strict: true, final: null }), () => false, { trail });
}

interface Place extends Position {
  readonly eip: number;
}

function place(d: Debugger): Place {
  return { ...d.position, eip: d.machine.cpu.r[EIP]! >>> 0 };
}

/** Places of single steps from an instruction count on. */
function trace(d: Debugger, from: number, count: number): Place[] {
  d.move({ kind: 'seek', icount: from });
  return Array.from({ length: count }, () => {
    d.move({ kind: 'step' });
    return place(d);
  });
}

const FROM = 829_000;
const STEPS = 16_000;
const reference = debug('off');
const steps = trace(reference, FROM, STEPS);
reference.close();

describe('the trace', () => {
  it('goes forward place by place, through interrupts and exceptions', () => {
    for (let k = 1; k < steps.length; k++) expect(comparePositions(steps[k - 1]!, steps[k]!)).toBeLessThan(0);
    expect(steps.filter((p) => p.deliveries > 0).length).toBeGreaterThanOrEqual(3);
  });
});

for (const jit of ['off', 'on', 'force'] as const)
  describe(`with the JIT ${jit}`, () => {
    const d = debug(jit);

    it('breakpoints are met wherever the trace passes them, and nowhere else', () => {
      for (const bp of [steps[50]!.eip, steps[9_000]!.eip, steps.find((p) => p.deliveries > 0)!.eip]) {
        const expected = steps.filter((p) => p.eip === bp).slice(0, 60);
        d.move({ kind: 'seek', icount: FROM + 1 });
        d.setBreakpoints([bp]);
        const met: Place[] = [];
        for (; met.length < expected.length; d.move({ kind: 'step' })) {
          expect(d.move({ kind: 'continue' })).toEqual({ kind: 'debug' });
          met.push(place(d));
        }
        expect(met).toEqual(expected);
        d.setBreakpoints([]);
      }
    });

    it('a step back is the step before, also over interrupts, faults and sleep', () => {
      const odd = steps.flatMap((p, k) => (k > 0 && k < STEPS - 1 && p.deliveries > 0 ? [k, k + 1] : [])).slice(0, 6);
      for (const k of [...odd, 8_000]) {
        d.move({ kind: 'seek', icount: steps[k]!.icount });
        while (comparePositions(d.position, steps[k]!) < 0) d.move({ kind: 'step' });
        expect(d.move({ kind: 'reverse-step' })).toEqual({ kind: 'debug' });
        expect(place(d)).toEqual(steps[k - 1]);
      }
    });

    it('continuing back finds the last of several breakpoints, and the place before an access', () => {
      const here = steps[12_000]!;
      const bps = [steps[11_000]!.eip, steps[7_000]!.eip];
      const last = steps.findLast((p) => comparePositions(p, here) < 0 && bps.includes(p.eip));
      d.move({ kind: 'seek', icount: here.icount });
      d.setBreakpoints(bps);
      expect(d.move({ kind: 'reverse-continue' })).toEqual({ kind: 'debug' });
      expect(place(d)).toEqual(last);
      d.setBreakpoints([]);
      const watchpoint = { kind: 'write', address: (d.machine.cpu.r[4]! >>> 0) - 4, lengthBytes: 4 } as const;
      d.setWatchpoints([watchpoint]);
      expect(d.move({ kind: 'continue' })).toEqual({ kind: 'watchpoint', watchpoint });
      const written = place(d);
      const value = d.machine.memory.read(watchpoint.address, 4);
      expect(d.move({ kind: 'reverse-continue' })).toEqual({ kind: 'watchpoint', watchpoint });
      expect(place(d)).toEqual(steps[steps.findIndex((p) => comparePositions(p, written) === 0) - 1]);
      expect(d.move({ kind: 'step' })).toEqual({ kind: 'watchpoint', watchpoint });
      expect(d.machine.memory.read(watchpoint.address, 4)).toBe(value);
      d.setWatchpoints([]);
    });

    it('a replay that was stepped, stopped and turned back has the digests of one that was not', () => {
      for (const icount of [840_123, 851_000]) {
        d.setBreakpoints([steps[50]!.eip]);
        d.setWatchpoints([{ kind: 'access', address: (d.machine.cpu.r[4]! >>> 0) - 64, lengthBytes: 128 }]);
        d.move({ kind: 'continue' });
        d.move({ kind: 'step' });
        d.move({ kind: 'continue' });
        d.setBreakpoints([]);
        d.setWatchpoints([]);
        d.move({ kind: 'seek', icount });
        d.session.run(icount);
        expect(digestMachine(d.machine.parts, d.machine.memory.u8).total).toBe(replay(recording, { until: icount }).digest);
      }
      expect(d.move({ kind: 'continue' })).toEqual({ kind: 'log-end' });
      expect(digestMachine(d.machine.parts, d.machine.memory.u8).total).toBe(recording.final.digest);
    });

    it('what a debugger wrote to registers and memory is gone once it goes back: the machine is the recorded one', () => {
      const icount = 850_500;
      const recorded = replay(recording, { until: icount }).digest;
      for (const back of [{ kind: 'reverse-step' }, { kind: 'seek', icount }, { kind: 'reverse-continue' }] as const) {
        d.move({ kind: 'seek', icount });
        const { cpu } = d.machine;
        d.altered();
        writeRegister(cpu, { kind: 'general', index: 3, value: 0x12345678 });
        expect(pokeMemory(cpu, 'physical', 0x7000, Uint8Array.of(1, 2, 3, 4))).toBe(true);
        expect([cpu.r[3], d.machine.memory.read(0x7000, 4), d.whole]).toEqual([0x12345678, 0x04030201, false]);
        d.move({ kind: 'step' });
        d.move(back);
        d.move({ kind: 'seek', icount });
        expect(d.whole).toBe(true);
        d.session.run(icount);
        expect(digestMachine(d.machine.parts, d.machine.memory.u8).total).toBe(recorded);
      }
    });

    it('instruction counts are stops of their own, and are forgotten when they are reached', () => {
      d.setIcountBreaks([835_000, 833_000]);
      d.move({ kind: 'seek', icount: FROM });
      expect([d.move({ kind: 'continue' }), d.position.icount, d.status.breaks]).toEqual([{ kind: 'paused' }, 833_000, [835_000]]);
      expect([d.move({ kind: 'continue' }), d.position.icount, d.status.breaks]).toEqual([{ kind: 'paused' }, 835_000, []]);
      d.close();
    });
  });
