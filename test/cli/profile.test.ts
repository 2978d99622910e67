// Oracle: manual (README: profile), and self-consistency: the profile of a replay ends where the plain replay does, and its counts are the instruction count
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { palindrome, type Summary, summary, temporaryFolder } from '../cli.js';
import { makeElf } from '../profile/make-elf.js';
import { guestOptions, refusal } from './guest.js';

const dir = temporaryFolder();
const UNTIL = 1_500_000;
const log = join(dir, 'guest.rr');
const recorded = summary('record', log, ...guestOptions(dir), '--serial', 'stdio', '--until', `${UNTIL}`);
const bytes = readFileSync(log);

interface ProfileLine {
  readonly functions: readonly { readonly name: string; readonly self: number; readonly total: number }[];
  readonly blocks: readonly { readonly instructions: number; readonly disassembly: readonly string[] }[];
  readonly instructions: number;
}

function profile(...args: string[]): Summary & ProfileLine {
  return summary('profile', log, ...args) as unknown as Summary & ProfileLine;
}

describe('profile', () => {
  const results = ['off', 'on', 'force'].map((jit) => profile('--jit', jit, '--top', '100000'));

  it('ends at the instruction and with the digest of the plain replay, in every JIT mode', () => {
    for (const { icount, digest, events, stop, divergence } of results)
      expect({ icount, digest, events, stop, divergence }).toEqual({
        icount: UNTIL,
        digest: recorded.digest,
        events: recorded.events,
        stop: 'end-of-log',
        divergence: null,
      });
    expect(readFileSync(log).equals(bytes)).toBe(true);
  });

  it('counts every instruction once, in the same functions in every JIT mode', () => {
    for (const { instructions, functions, blocks } of results) {
      expect(instructions).toBe(UNTIL);
      expect(functions.reduce((sum, f) => sum + f.self, 0)).toBe(UNTIL);
      expect(blocks.reduce((sum, b) => sum + b.instructions, 0)).toBe(UNTIL);
      expect(functions).toEqual(results[0]!.functions);
    }
  });

  it('counts up to the instruction asked for', () => {
    expect(profile('--until', '700,001')).toMatchObject({ icount: 700_001, instructions: 700_001, stop: 'until' });
  });

  it('prints its table on stdout and the summary on stderr, and nothing of the guest', () => {
    const { status, stdout, stderr } = palindrome('profile', log, '--top', '3');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^1,500,000 instructions; \d+ functions, [\d,]+ stacks, \d+ TBs\n\nFunctions/);
    expect(stdout).toMatch(/\nLoops, .*\n[\s\S]*\nTBs\n/);
    expect(stdout).not.toContain('palindrome demo guest');
    expect(stderr).toMatch(/^profile: reached the end of the log\n/);
  });

  it('names functions by the symbols given', () => {
    const [map, vmlinux] = [join(dir, 'System.map'), join(dir, 'vmlinux')];
    writeFileSync(map, '00100000 T the_guest\n00110000 B its_end\n');
    const [FUNC, OBJECT] = [2, 1];
    const symbols = [
      { name: 'the_guest', address: 0x100000, type: FUNC, global: true },
      { name: 'its_end', address: 0x110000, type: OBJECT, global: true },
    ];
    writeFileSync(vmlinux, makeElf(32, symbols));
    for (const file of [map, vmlinux]) {
      const { functions } = profile('--kernel-symbols', file, '--until', '100000');
      expect(functions.map((f) => [f.name, f.self])).toEqual([['the_guest', 100_000]]);
    }
  });

  const early = summary('replay', log, '--until', '100000', '--from-start');

  it.each([
    ['folded', /^[^\n]+ \d+\n/],
    ['speedscope', /^\{"\$schema":"https:\/\/www\.speedscope\.app/],
    ['cpuprofile', /^\{"nodes":\[/],
    ['html', /^<!DOCTYPE html>/],
    ['table', /^100,000 instructions/],
  ])('writes --format %s into a file, and ends where the plain replay does', (format, start) => {
    const file = join(dir, `profile.${format}`);
    const { status, stdout, stderr } = palindrome('profile', log, '--format', format, '-o', file, '--until', '100000');
    expect([status, stdout]).toEqual([0, '']);
    expect(stderr).toContain(early.digest);
    const text = readFileSync(file, 'utf8');
    expect(text).toMatch(start);
    if (format === 'speedscope' || format === 'cpuprofile') expect(() => JSON.parse(text)).not.toThrow();
  });

  it('writes any format to stdout', () => {
    const { status, stdout } = palindrome('profile', log, '--format', 'folded');
    expect(status).toBe(0);
    expect([...stdout.matchAll(/ (\d+)$/gm)].reduce((sum, [, n]) => sum + Number(n), 0)).toBe(UNTIL);
  });

  it('says how a replay ended that never had a machine', () => {
    const changed = join(dir, 'changed.rr');
    // CP_INIT, before which no machine is built, is CP_RESET.
    const other = Buffer.from(bytes);
    other[21]!++;
    writeFileSync(changed, other);
    const { status, stdout, stderr } = palindrome('profile', changed, ...guestOptions(dir));
    expect([status, stdout]).toEqual([3, '']);
    expect(stderr).toMatch(/^palindrome: .*changed\.rr has no LOG\.json [^\n]*\nprofile: DIVERGED at instruction 0: /);
  });

  it('refuses what it cannot use, before it replays', () => {
    const broken = join(dir, 'broken.map');
    writeFileSync(broken, 'no symbols here\n');
    mkdirSync(join(dir, 'folder'));
    expect(refusal('profile', log, '--kernel-symbols', broken)).toContain('line 1 is not "address type name"');
    expect(refusal('profile', log, '--kernel-symbols', join(dir, 'missing'))).toContain('no such file');
    expect(refusal('profile', log, '--top', '0')).toContain('--top 0');
    expect(refusal('profile', log, '--format', 'html', '--json')).toContain('needs --output');
    expect(refusal('profile', log, '-o', join(dir, 'none', 'x'))).toContain('no such folder');
    expect(refusal('profile', log, '-o', join(dir, 'folder'))).toContain('not a regular file');
    expect(refusal('profile', log, '-o', log)).toContain('would overwrite the recording');
    expect(readFileSync(log).equals(bytes)).toBe(true);
  });
});
