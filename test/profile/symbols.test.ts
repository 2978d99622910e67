// Oracle: manual (nm(1), proc(5), System V ABI chapter 4: ELF), and nm itself for a file that gcc linked
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/core/errors.js';
import { readSymbols } from '../../src/profile/read-symbols.js';
import type { SymbolTable } from '../../src/profile/symbol-table.js';
import { temporaryFolder } from '../cli.js';
import { Random } from '../jit/random-code.js';
import { requireTool } from '../tools.js';
import { makeElf } from './make-elf.js';

const SEED = Number(process.env.SEED ?? 20261121);
const dir = temporaryFolder();

function read(content: string | Uint8Array, name = 'symbols'): SymbolTable {
  const path = join(dir, name);
  writeFileSync(path, content);
  return readSymbols(path);
}

function refusal(content: string | Uint8Array): string {
  try {
    read(content);
  } catch (e) {
    if (!(e instanceof UserError)) throw e;
    expect(e.message).not.toContain('\n');
    return e.message.slice(dir.length + 1);
  }
  throw new Error('it was accepted');
}

const at = (table: SymbolTable, laddr: number): string | null => {
  const start = table.startOf(laddr | 0);
  return start === null ? null : table.nameOf(start);
};

const MAP = `c1000000 T _text
c1000000 T startup_32
c1000100 t local
c1000140 T exported
c1000200 D data
c1000300 W weak
c1000400 A absolute
`;

describe('System.map', () => {
  it('names the code from a symbol up to the next one', () => {
    const table = read(MAP);
    expect([0xc1000000, 0xc10000ff, 0xc1000100, 0xc100013f, 0xc1000140, 0xc10001ff].map((a) => at(table, a))).toEqual([
      'startup_32',
      'startup_32',
      'local',
      'local',
      'exported',
      'exported',
    ]);
    expect([0xc0ffffff, 0xc1000200, 0xc1000300, 0xc1000400, 0xd0000000].map((a) => at(table, a))).toEqual([null, null, 'weak', null, null]);
  });

  it('may be /proc/kallsyms, with modules', () => {
    expect(at(read('c1000000 T a\nf8000000 t probe\t[e1000]\n'), 0xf8000010)).toBe('probe[e1000]');
  });

  it('need not be in order, nor end with a newline, and may have \\r\\n', () => {
    const table = read('c1000100 T b\r\nc1000000 T a');
    expect([at(table, 0xc1000010), at(table, 0xc1000110)]).toEqual(['a', 'b']);
  });

  it('prefers the better of two names, whatever their order', () => {
    for (const lines of [
      ['c1000000 t x', 'c1000000 T __y', 'c1000000 T yes'],
      ['c1000000 T yes', 'c1000000 T __y', 'c1000000 t x'],
    ])
      expect(at(read(lines.join('\n')), 0xc1000000)).toBe('yes');
  });

  it('keeps control characters out of names', () => {
    expect(at(read('c1000000 T a\x1b[31mb\u0085\n'), 0xc1000000)).toMatch(/^a\?\[31mb\?+$/);
  });

  it.each([
    ['', 'names no function'],
    ['c1000000 D data\n', 'names no function'],
    ['hello world\n', 'line 1 is not "address type name": "hello world"'],
    ['c1000000 T a\nc1000000 T\n', 'line 2 is not'],
    ['ffffffff81000000 T startup_64\n', 'line 1: an address of a 64-bit kernel'],
    ['00000000 T a\n00000000 t b\n', 'all addresses are 0'],
    ['ffffffffffffffff B The real System.map is in the linux-image-<version>-dbg package\n', "Debian's stub"],
    [new Uint8Array(100), 'neither a System.map nor an ELF file'],
  ])('is refused in one sentence: %j', (content, words) => {
    expect(refusal(content)).toContain(words);
  });
});

describe.each([32, 64] as const)('the symbol table of an ELF file of %i bits', (bits) => {
  const good = makeElf(bits, [
    { name: 'start', address: 0xc1000000, type: 2, global: true },
    { name: 'asm_label', address: 0xc1000100, type: 0, global: false },
    { name: 'table', address: 0xc1000200, type: 1, global: true },
    { name: 'file.c', address: 0, type: 4, global: false },
  ]);

  it('names functions, and labels in code', () => {
    const table = read(good);
    expect([0xc1000080, 0xc1000180, 0xc1000280].map((a) => at(table, a))).toEqual(['start', 'asm_label', null]);
    expect(table.functions).toBe(2);
  });

  it('is refused in one sentence, or read, wherever it is cut off or a byte of it is changed', () => {
    const random = new Random(SEED);
    let refused = 0;
    const attempt = (bytes: Uint8Array): void => {
      try {
        read(bytes);
      } catch (e) {
        if (!(e instanceof UserError)) throw e;
        expect(e.message).not.toContain('\n');
        refused++;
      }
    };
    for (let length = 4; length < good.length; length += 7) attempt(good.subarray(0, length));
    for (let k = 0; k < 250; k++) {
      const bytes = good.slice();
      for (let n = 1 + random.below(3); n > 0; n--)
        bytes[4 + random.below(bytes.length - 4)] = random.pick([0, 1, 0x7f, 0x80, 0xff, random.below(256)]);
      attempt(bytes);
    }
    expect(refused).toBeGreaterThan(50);
  });

  const changed = (offset: number, ...bytes: number[]): Uint8Array => {
    const elf = good.slice();
    elf.set(bytes, offset);
    return elf;
  };

  it.each([
    [changed(5, 2), 'big-endian'],
    [changed(18, 8, 0), 'for machine 8, not for the 80386'],
    [changed(16, 1), 'an object file'],
    [changed(bits === 64 ? 60 : 48, 0, 0), 'no sections'],
    [changed(bits === 64 ? 60 : 48, 1, 0), 'no symbol table: it was stripped'],
    [good.subarray(0, 20), 'its header would end at byte'],
  ])('says why it is refused (%#)', (bytes, words) => {
    expect(refusal(bytes)).toContain(words);
  });
});

it('of 64 bits with addresses of 64 bits are refused', () => {
  expect(refusal(makeElf(64, [{ name: 'start', address: 0xffffffff81000000n, type: 2, global: true }]))).toContain(
    'addresses of more than 32 bits',
  );
});

describe.skipIf(!requireTool('gcc', 'gcc'))('a file that gcc linked', () => {
  it('has the functions that nm lists', () => {
    const [source, elf] = [join(dir, 'guest.S'), join(dir, 'guest.elf')];
    writeFileSync(
      source,
      '.globl _start, work\n_start: call work\n jmp _start\n.type work,@function\nwork: nop\n ret\nhelper: ret\n.data\nvalue: .long 1\n',
    );
    const gcc = spawnSync('gcc', ['-m32', '-nostdlib', '-static', '-no-pie', '-Wl,-Ttext=0x100000', '-o', elf, source], {
      encoding: 'utf8',
    });
    expect(gcc.stderr).not.toMatch(/error/);
    const nm = spawnSync('nm', [elf], { encoding: 'utf8' }).stdout;
    const listed = [...nm.matchAll(/^([0-9a-f]+) [tT] (\S+)$/gm)].map(
      ([, address, name]) => [Number.parseInt(address!, 16), name] as const,
    );
    expect(listed.map(([, name]) => name)).toEqual(expect.arrayContaining(['_start', 'work', 'helper']));
    const [fromElf, fromNm] = [readSymbols(elf), read(nm, 'nm.txt')];
    for (const [address, name] of listed) expect([at(fromElf, address), at(fromNm, address)]).toEqual([name, name]);
  });
});
