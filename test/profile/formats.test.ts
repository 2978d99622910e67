// Oracle: manual (speedscope file-format-schema.json, Chrome DevTools Protocol Profiler.Profile, HTML), and self-consistency: sums are the instruction count
import { describe, expect, it } from 'vitest';
import { cpuprofile } from '../../src/profile/formats/cpuprofile.js';
import { FLAME_SCRIPT } from '../../src/profile/formats/flame-page.js';
import { flameTree } from '../../src/profile/formats/flame-tree.js';
import { folded } from '../../src/profile/formats/folded.js';
import { html } from '../../src/profile/formats/html.js';
import { speedscope } from '../../src/profile/formats/speedscope.js';
import { profileJson, table } from '../../src/profile/formats/table.js';
import type { ProfileData } from '../../src/profile/profile-data.js';
import { Assembler, profileProgram } from './guest-program.js';

const HOSTILE = '</script><script>alert(1)</script>';
const AMPERSAND = `a"b'&<b>;c`;

function program(): Assembler {
  const a = new Assembler();
  a.label('main').call(HOSTILE).call(AMPERSAND).jmp('main');
  a.label(HOSTILE).nops(3).call(AMPERSAND).ret();
  return a.label(AMPERSAND).nops(2).ret();
}

const TURN = 14;
const TURNS = 100;
const { data } = profileProgram(program(), { instructions: TURN * TURNS, symbols: true });
const text = (lines: Iterable<string>): string => [...lines].join('\n');

/** Stacks as `a;b` by what a viewer would show. */
type Sums = Record<string, number>;
const EXPECTED: Sums = { main: 300, [`main\n${HOSTILE}`]: 500, [`main\n${HOSTILE}\n${AMPERSAND}`]: 300, [`main\n${AMPERSAND}`]: 300 };

describe('folded stacks', () => {
  it('have one line per stack, with names that cannot be taken for several', () => {
    const lines = [...folded(data)];
    const sums = Object.fromEntries(lines.map((l) => [l.slice(0, l.lastIndexOf(' ')), Number(l.slice(l.lastIndexOf(' ') + 1))]));
    const clean = AMPERSAND.replace(';', ':');
    const hostile = HOSTILE.replaceAll(';', ':');
    expect(sums).toEqual({ main: 300, [`main;${hostile}`]: 500, [`main;${hostile};${clean}`]: 300, [`main;${clean}`]: 300 });
  });
});

describe('speedscope', () => {
  it('opens and closes each stack once, in order, over all instructions', () => {
    const file = JSON.parse(text(speedscope(data, 'title'))) as {
      $schema: string;
      shared: { frames: { name: string }[] };
      profiles: {
        type: string;
        unit: string;
        startValue: number;
        endValue: number;
        events: { type: 'O' | 'C'; frame: number; at: number }[];
      }[];
    };
    expect(file.$schema).toBe('https://www.speedscope.app/file-format-schema.json');
    const profile = file.profiles[0]!;
    expect(profile).toMatchObject({ type: 'evented', unit: 'none', startValue: 0, endValue: TURN * TURNS });
    const open: string[] = [];
    const sums: Sums = {};
    let at = 0;
    for (const e of profile.events) {
      expect(e.at).toBeGreaterThanOrEqual(at);
      if (e.at > at) sums[open.join('\n')] = (sums[open.join('\n')] ?? 0) + e.at - at;
      at = e.at;
      const { name } = file.shared.frames[e.frame]!;
      if (e.type === 'O') open.push(name);
      else expect(open.pop()).toBe(name);
    }
    expect([at, open]).toEqual([TURN * TURNS, []]);
    expect(sums).toEqual(EXPECTED);
  });
});

describe('cpuprofile', () => {
  it('has a sample per stack that lasts as long as it executed', () => {
    const file = JSON.parse(text(cpuprofile(data))) as {
      nodes: { id: number; callFrame: { functionName: string; scriptId: string; url: string; lineNumber: number }; children: number[] }[];
      startTime: number;
      endTime: number;
      samples: number[];
      timeDeltas: number[];
    };
    const byId = new Map(file.nodes.map((n) => [n.id, n]));
    const parent = new Map(file.nodes.flatMap((n) => n.children.map((c) => [c, n.id] as const)));
    expect(byId.size).toBe(file.nodes.length);
    expect(file.nodes[0]!.callFrame.functionName).toBe('(root)');
    expect(parent.size).toBe(file.nodes.length - 1);
    const ends = [...file.timeDeltas.slice(1), file.endTime - file.timeDeltas.reduce((a, b) => a + b, 0)];
    const sums: Sums = {};
    file.samples.forEach((id, k) => {
      const path: string[] = [];
      for (let n: number | undefined = id; n !== undefined && n !== 1; n = parent.get(n)) path.unshift(byId.get(n)!.callFrame.functionName);
      sums[path.join('\n')] = ends[k]!;
    });
    expect(file.samples.length).toBe(file.timeDeltas.length);
    expect(sums).toEqual(EXPECTED);
  });
});

describe('the flame graph', () => {
  const page = text(html(data, 'a <b> & "c"'));

  it('lets no name out of its data, and asks for nothing from outside', () => {
    expect(page).not.toContain(HOSTILE);
    expect(page.match(/<script/g)).toHaveLength(2);
    expect(page.match(/<\/script>/g)).toHaveLength(2);
    expect(page).toContain('<title>a &#60;b&#62; &#38; &#34;c&#34;</title>');
    expect(page).not.toMatch(/https?:|src=|url\(/);
    expect(page).toContain("default-src 'none'");
    expect(() => new Function(FLAME_SCRIPT)).not.toThrow();
  });

  it('holds the stacks', () => {
    const json = /<script type="application\/json" id="profile">(.*?)<\/script>/s.exec(page)![1]!;
    const tree = JSON.parse(json) as ReturnType<typeof flameTree>;
    expect(tree).toEqual(flameTree(data));
    expect(tree.kinds).toHaveLength(tree.names.length);
    const totals = tree.name.map((n, k) => [tree.names[n], tree.total[k], tree.parent[k]]);
    expect(totals).toEqual([
      ['all', 1400, -1],
      ['main', 1400, 0],
      [HOSTILE, 800, 1],
      [AMPERSAND, 300, 1],
      [AMPERSAND, 300, 2],
    ]);
  });

  it('puts together what is too small to be seen, and loses nothing', () => {
    const count = 30_000;
    const small: ProfileData = {
      ...data,
      instructions: 3 * count,
      functions: [data.functions[1]!],
      stacks: {
        parent: Int32Array.from({ length: count + 1 }, (_, k) => (k === 0 ? -1 : 0)),
        fn: Int32Array.from({ length: count + 1 }, (_, k) => (k === 0 ? -1 : 0)),
        self: Float64Array.from({ length: count + 1 }, (_, k) => (k === 0 ? 0 : k === 1 ? 2 * count + 1 : 1)),
      },
    };
    const tree = flameTree(small);
    expect(tree.total).toEqual([3 * count, 2 * count + 1, count - 1]);
    expect(tree.names[tree.name[2]!]).toBe('(smaller)');
  });
});

describe('the table', () => {
  it('has functions, loops and TBs with their disassembly', () => {
    const lines = [...table(data, 10)];
    expect(lines[0]).toBe('1,400 instructions; 3 functions, 4 stacks, 6 TBs');
    expect(lines.find((l) => l.endsWith(HOSTILE))).toMatch(/^35\.71 % +500 +57\.14 % +800 +100 /);
    expect(lines.find((l) => l.endsWith(AMPERSAND))).toMatch(/^42\.86 % +600 +42\.86 % +600 +200 /);
    expect(lines).toContain('    00001000  call 0000100Fh');
    expect(lines.some((l) => /\b99 +1 +\d+ {2}00001000 main$/.test(l))).toBe(true);
  });

  it('shows no more than it is asked to', () => {
    const rows = [...table(data, 1)];
    expect(
      rows.slice(rows.indexOf('Functions, by the instructions in themselves; total: with those of all they called') + 2).indexOf(''),
    ).toBe(1);
  });

  it('is there as data too', () => {
    const json = JSON.parse(JSON.stringify(profileJson(data, 2))) as {
      functions: unknown[];
      functionCount: number;
      blocks: { disassembly: string[] }[];
    };
    expect([json.functions.length, json.functionCount]).toEqual([2, 3]);
    expect(json.blocks.every((b) => b.disassembly.length > 0)).toBe(true);
  });
});
