// Oracle: self-consistency (a search in one piece, over a recording without checkpoints).
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EIP, ESP } from '../../jit/x86/regs.js';
import type { Position, StopCause, Watchpoint } from '../../src/core/debug-target.js';
import { digestMachine } from '../../src/core/digest.js';
import { Debugger, type DebuggerOptions } from '../../src/debug/debugger.js';
import { ReplayIncarnator } from '../../src/debug/replay-incarnator.js';
import { SEARCH_OVER, type Searcher, type SearchOutcome, type SearchRequest, type Stretch } from '../../src/debug/search.js';
import { Shares } from '../../src/debug/search-pool.js';
import type { Job } from '../../src/machine/job.js';
import { temporaryFolder } from '../cli.js';
import { addCheckpoints } from '../replay/checkpoints.js';
import { demoGuest, record, replay } from '../replay/scripted.js';

const END = 1_200_000;
const config = demoGuest(temporaryFolder());
const plain = record(join(temporaryFolder(), 'plain.rr'), config, '5.2', END);
const stored = record(join(temporaryFolder(), 'stored.rr'), config, '5.2', END);
addCheckpoints(stored, 150_000, END);
const marked = record(join(temporaryFolder(), 'marked.rr'), config, '5.2', END);
addCheckpoints(marked, 150_000, END, undefined, true);

const job = (log: string): Omit<Job, 'control'> => ({
  ...{ kind: 'replay', config, log, logFormat: '5.2', until: null, jit: 'on', screenshot: false, strict: true, final: null, inputs: [] },
});
const open = (log: string, options: DebuggerOptions): Debugger => new Debugger(new ReplayIncarnator(job(log)), () => false, options);

/** Looks at each stretch with a machine of its own, in this thread. */
class Helper implements Searcher {
  asked: readonly Stretch[] = [];
  private readonly machine: Debugger;
  constructor(log: string) {
    this.machine = open(log, {});
  }
  search(stretches: readonly Stretch[], { breakpoints, watchpoints }: Debugger): SearchOutcome {
    this.asked = stretches;
    this.machine.setBreakpoints(breakpoints);
    this.machine.setWatchpoints(watchpoints);
    return stretches.map((s) => this.machine.searchIn(s)).findLast((outcome) => outcome !== null) ?? null;
  }
  close(): void {
    this.machine.close();
  }
}

/** Where something is to be looked for from, and what. */
interface Case {
  readonly name: string;
  readonly from: number;
  readonly breakpoints: readonly number[];
  readonly watchpoints: readonly Watchpoint[];
}

const helper = new Helper(stored.log);
const markedHelper = new Helper(marked.log);
const reference = open(plain.log, { manyStops: Number.POSITIVE_INFINITY });
const halving = open(plain.log, { manyStops: 3 });
const searching = open(stored.log, { searcher: helper, worthAsking: 200_000, aloneMs: 0 });
const sparing = open(marked.log, { searcher: markedHelper, worthAsking: 200_000, aloneMs: 0 });
afterAll(() => {
  for (const machine of [helper, markedHelper, reference, halving, searching, sparing]) machine.close();
});

function cases(): Case[] {
  const at = (icount: number): { eip: number; esp: number } => {
    reference.move({ kind: 'seek', icount });
    const { r } = reference.machine.cpu;
    return { eip: r[EIP]! >>> 0, esp: r[ESP]! >>> 0 };
  };
  const early = at(20_000);
  const late = at(1_100_000);
  const from = 1_190_000;
  const none = { breakpoints: [], watchpoints: [] };
  const watch = (kind: Watchpoint['kind'], address: number): Watchpoint[] => [{ kind, address, lengthBytes: 4 }];
  return [
    { ...none, name: 'a breakpoint that is met late', from, breakpoints: [late.eip] },
    { ...none, name: 'a breakpoint that is met early', from, breakpoints: [early.eip] },
    { ...none, name: 'several breakpoints', from: 700_000, breakpoints: [early.eip, late.eip, at(400_000).eip] },
    { ...none, name: 'a breakpoint that is never met', from, breakpoints: [0xfff] },
    { ...none, name: 'writes to the stack', from, watchpoints: watch('write', late.esp) },
    { ...none, name: 'reads from the stack', from: 950_000, watchpoints: watch('read', late.esp) },
    { ...none, name: 'accesses where there are none', from, watchpoints: watch('access', 0x500) },
    { name: 'a breakpoint and a watchpoint', from, breakpoints: [early.eip], watchpoints: watch('access', early.esp - 4) },
  ];
}

function back(d: Debugger, { from, breakpoints, watchpoints }: Case): [StopCause, Position, number, string] {
  d.move({ kind: 'seek', icount: from });
  d.setBreakpoints(breakpoints);
  d.setWatchpoints(watchpoints);
  const cause = d.move({ kind: 'reverse-continue' });
  d.setBreakpoints([]);
  d.setWatchpoints([]);
  return [cause, d.position, d.machine.cpu.r[EIP]! >>> 0, digestMachine(d.machine.parts, d.machine.memory.u8).total];
}

describe('continuing back, several stretches at a time', () => {
  for (const c of cases())
    it(`finds what a search in one piece finds: ${c.name}`, () => {
      helper.asked = [];
      expect(back(searching, c)).toEqual(back(reference, c));
    });

  for (const c of cases())
    it(`finds the same where footprints spare it most of the way: ${c.name}`, () => {
      expect(back(sparing, c)).toEqual(back(reference, c));
    });

  it('executes nothing when all footprints say that there is nothing', () => {
    markedHelper.asked = [];
    sparing.move({ kind: 'seek', icount: END });
    const slices = sparing.machine.engine.slices;
    sparing.setBreakpoints([0xfff]);
    sparing.setWatchpoints((['write', 'read', 'access'] as const).map((kind) => ({ kind, address: 0x500000, lengthBytes: 4 })));
    expect(sparing.move({ kind: 'reverse-continue' })).toEqual({ kind: 'log-begin' });
    sparing.setBreakpoints([]);
    sparing.setWatchpoints([]);
    expect(sparing.position).toEqual({ icount: 0, deliveries: 0 });
    expect(markedHelper.asked).toEqual([]);
    expect(sparing.machine.engine.slices - slices).toBeLessThan(3);
  });

  it('leaves out the stretches that did not execute what is looked for', () => {
    const early = cases()[1]!;
    markedHelper.asked = [];
    back(sparing, early);
    expect(markedHelper.asked.length).toBeLessThan(4);
  });

  it('asks for what lies between stored checkpoints, without a gap, once nothing is found behind the last one', () => {
    back(searching, { name: '', from: 1_190_000, breakpoints: [0xfff], watchpoints: [] });
    const { asked } = helper;
    expect(asked.length).toBeGreaterThan(5);
    expect(asked[0]!.from).toBe(-1);
    for (let k = 1; k < asked.length; k++) expect(asked[k - 1]!.to).toEqual({ icount: asked[k]!.from + 1, deliveries: 0 });
  });

  it('asks nobody before it has taken its time', () => {
    const patient = open(stored.log, { searcher: helper, worthAsking: 200_000, aloneMs: Number.POSITIVE_INFINITY });
    helper.asked = [];
    const early = cases()[1]!;
    expect(back(patient, early)).toEqual(back(reference, early));
    expect(helper.asked).toEqual([]);
    patient.close();
  });

  it('the machine is that of a plain replay wherever it went', () => {
    for (const icount of [333_333, 1_000_001]) {
      searching.move({ kind: 'seek', icount });
      searching.move({ kind: 'reverse-step' });
      searching.move({ kind: 'step' });
      searching.session.run(icount);
      expect(digestMachine(searching.machine.parts, searching.machine.memory.u8).total).toBe(replay(plain, { until: icount }).digest);
    }
  });
});

describe('continuing back to where it stops again and again', () => {
  const { machine } = reference;
  const places = [30_000, 333_000, 700_000, 829_500, 950_000, 1_150_000].map((icount) => {
    reference.move({ kind: 'seek', icount });
    const { r } = machine.cpu;
    return { eip: r[EIP]! >>> 0, esp: r[ESP]! >>> 0 };
  });
  const watchpoints = (esp: number): Watchpoint[] => [{ kind: 'access', address: esp - 4, lengthBytes: 4 }];

  for (const [k, { eip, esp }] of places.entries()) {
    const before = (icount: number): Case[] => [
      { name: `a breakpoint, before ${icount}`, from: icount, breakpoints: [eip], watchpoints: [] },
      { name: `accesses to the stack, before ${icount}`, from: icount, breakpoints: [], watchpoints: watchpoints(esp) },
      { name: `both, before ${icount}`, from: icount, breakpoints: [eip, places[0]!.eip], watchpoints: watchpoints(esp) },
    ];
    for (const c of [31_000, 701_003, 830_000, 1_199_999].flatMap(before))
      it(`finds what a search does that stops everywhere: place ${k}, ${c.name}`, () => {
        expect(back(halving, c)).toEqual(back(reference, c));
      });
  }

  it('does not stop everywhere', () => {
    const slices = (d: Debugger, c: Case): number => {
      const before = d.machine.engine.slices;
      back(d, c);
      return d.machine.engine.slices - before;
    };
    const hot = places.map(({ eip }): Case => ({ name: '', from: END, breakpoints: [eip], watchpoints: [] }));
    const spared = hot.map((c) => slices(reference, c) / slices(halving, c));
    expect(Math.max(...spared)).toBeGreaterThan(20);
  });
});

it('a pool shares out neighbours, the last first, few in the beginning and in the end, and nothing across a gap', () => {
  const stretches = Array.from({ length: 60 }, (_, k) => ({ from: 10 * k - 1, to: { icount: 10 * k + 10, deliveries: 0 } })).filter(
    (_, k) => k !== 30,
  );
  const shares = new Shares(stretches, 2);
  const sizes: number[] = [];
  let end = stretches.length - 1;
  for (let share = shares.next(); share !== null; share = shares.next()) {
    expect(share.index).toBe(end);
    expect(share.stretch.to).toEqual(stretches[end]!.to);
    const first = stretches.findIndex((s) => s.from === share!.stretch.from);
    expect(share.stretch.to.icount - share.stretch.from).toBe(10 * (end - first + 1) + 1);
    sizes.push(end - first + 1);
    end = first - 1;
  }
  expect(end).toBe(-1);
  expect(sizes.slice(0, 4)).toEqual([1, 1, 2, 2]);
  expect(Math.max(...sizes)).toBeGreaterThan(4);
  expect(sizes.at(-1)).toBe(1);
});

describe('a pool of machines', () => {
  type Pool = { search(request: SearchRequest): Promise<SearchOutcome>; close(): Promise<void> };
  let pool: Pool;
  beforeAll(async () => {
    const built = new URL('../../dist/src/debug/search-pool.js', import.meta.url).href;
    const { SearchPool } = (await import(built)) as { SearchPool: new (job: Omit<Job, 'control'>, machines: number) => Pool };
    pool = new SearchPool(job(stored.log), 2);
  });
  afterAll(() => pool.close());

  const request = (breakpoints: readonly number[], useful = new SharedArrayBuffer(4)): SearchRequest => ({
    stretches: [-1, 150_000, 300_000, 450_000].map((from) => ({ from, to: { icount: Math.max(from, 0) + 150_001, deliveries: 0 } })),
    sought: { breakpoints, watchpoints: [] },
    useful,
  });

  it('finds the last place, and nothing where there is nothing', async () => {
    reference.move({ kind: 'seek', icount: 40_000 });
    const address = reference.machine.cpu.r[EIP]! >>> 0;
    const expected = back(reference, { name: '', from: 600_001, breakpoints: [address], watchpoints: [] });
    expect(await pool.search(request([address]))).toEqual({ position: expected[1], watchpoint: null });
    expect(await pool.search(request([0xfff]))).toBeNull();
  });

  it('stops when somebody interrupts', async () => {
    const useful = new SharedArrayBuffer(4);
    new Int32Array(useful)[0] = SEARCH_OVER;
    expect(await pool.search(request([0xfff], useful))).toBe('interrupted');
  });
});
