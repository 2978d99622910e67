// Oracle: QEMU run (7.2.22): the same small kernel started by its -kernel writes the same; manual (Linux boot protocol) for the rest.
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { linuxBootRom } from '../../devices/firmware/linux-boot-rom.js';
import { UserError } from '../../src/core/errors.js';
import { configure } from '../../src/machine/config.js';
import { HDR, isLinux, linuxImage } from '../../src/machine/linux-image.js';
import { summary, temporaryFolder } from '../cli.js';
import { PATIENCE_MS, requireTool } from '../tools.js';

const SEABIOS = '/usr/share/seabios/bios-256k.bin';
const MIB = 2 ** 20;
const folder = temporaryFolder();

/** A kernel that is nothing but a header: one setup sector, 4 KiB of kernel proper. */
function header(protocol: number, loadflags: number, initrdMax = 0x7fffffff): Uint8Array {
  const bytes = new Uint8Array(1024 + 4096);
  const view = new DataView(bytes.buffer);
  bytes[HDR.SETUP_SECTS] = 1;
  view.setUint32(HDR.MAGIC, 0x53726448, true);
  view.setUint16(HDR.VERSION, protocol, true);
  bytes[HDR.LOADFLAGS] = loadflags;
  view.setUint32(HDR.INITRD_ADDR_MAX, initrdMax, true);
  return bytes;
}

const lay = (kernel: Uint8Array, initrdBytes: number | null, append = '', memoryBytes = 64 * MIB) =>
  linuxImage({ path: 'k', kernel, initrd: initrdBytes === null ? null : new Uint8Array(initrdBytes), append, memoryBytes });

describe('layout of a Linux kernel', () => {
  it('is told from other files by its header', () => {
    expect(isLinux(header(0x20c, 1))).toBe(true);
    expect(isLinux(new Uint8Array(4096))).toBe(false);
    expect(isLinux(new Uint8Array(3))).toBe(false);
  });

  it('puts recent kernels at 1 MiB, the real-mode part at 64 KiB, the command line at 128 KiB', () => {
    expect(lay(header(0x20c, 1), null)).toMatchObject({ kernelAddress: 0x100000, setupAddress: 0x10000, cmdlineAddress: 0x20000 });
    expect(lay(header(0x201, 1), null)).toMatchObject({ kernelAddress: 0x100000, setupAddress: 0x90000, cmdlineAddress: 0x9a000 - 16 });
    expect(lay(header(0x200, 0), null)).toMatchObject({ kernelAddress: 0x10000, setupAddress: 0x90000 });
  });

  it('puts the RAM disk below the space of firmware tables, or below the limit in the header', () => {
    expect(lay(header(0x20c, 1), 3000).initrdAddress).toBe(64 * MIB - 0x28000 - 0x1000);
    expect(lay(header(0x20c, 1, 0x1ffffff), 3000).initrdAddress).toBe(0x1fff000);
  });

  it.each([
    ['vga=normal', 0xffff],
    ['a vga=ext b', 0xfffe],
    ['vga=ask', 0xfffd],
    ['vga=0x317', 0x317],
    ['vga=788', 788],
  ])('takes the video mode from %s', (append, mode) => {
    expect(new DataView(lay(header(0x20c, 1), null, append).setup.buffer).getUint16(HDR.VID_MODE, true)).toBe(mode);
  });

  it('refuses what does not fit', () => {
    expect(() => lay(header(0x20c, 1), 64 * MIB)).toThrow(UserError);
    expect(() => lay(header(0x20c, 1), null, 'vga=what')).toThrow('--append vga=what');
    expect(() => lay(header(0x20c, 1).subarray(0, 800), null)).toThrow('shorter than its header says');
  });
});

describe('-L', () => {
  it('takes the option ROM from a folder', () => {
    writeFileSync(join(folder, 'linuxboot_dma.bin'), 'rom');
    expect(configure({ firmwareFolder: folder }).linuxRom).toBe(join(folder, 'linuxboot_dma.bin'));
    expect(() => configure({ firmwareFolder: join(folder, 'none') })).toThrow('there is no linuxboot_dma.bin');
  });
});

describe('the option ROM', () => {
  it('is one that firmware accepts', () => {
    const rom = linuxBootRom();
    expect([rom[0], rom[1], rom[2]! * 512]).toEqual([0x55, 0xaa, rom.length]);
    expect(rom.reduce((sum, b) => (sum + b) & 0xff, 0)).toBe(0);
  });

  it.skipIf(!requireTool('nasm', 'nasm'))('is what its source gives, as is the guest of the demo', () => {
    const { status, stderr } = spawnSync('npx', ['tsx', 'tools/build-guest.ts', '--check'], { encoding: 'utf8' });
    expect(status, stderr).toBe(0);
  });
});

describe.skipIf(!requireTool('qemu-system-i386', 'qemu-system-x86') || !requireTool(SEABIOS, 'seabios') || !requireTool('nasm', 'nasm'))(
  'a kernel started by firmware',
  () => {
    const kernel = join(folder, 'kernel');
    const initrd = join(folder, 'initrd');
    const options = ['-m', '64M', '--nodefaults', '--kernel', kernel, '--append', 'some words vga=5'];

    it.each([['with a RAM disk', ['--initrd', initrd]] as const, ['without one', []] as const])(
      'finds the same as in QEMU, %s, and the same with the ROM of QEMU',
      (_, more) => {
        execFileSync('nasm', ['-f', 'bin', new URL('linux-kernel.asm', import.meta.url).pathname, '-o', kernel]);
        writeFileSync(initrd, 'RAM disk'.repeat(1000));
        const exit = ['--device', 'isa-debug-exit,iobase=0xf4,iosize=1'];
        const run = (name: string, ...extra: string[]): string => {
          const output = join(folder, name);
          const all = [...options, ...more, '--bios', SEABIOS, ...exit, ...extra];
          expect(summary('run', ...all, '--debugcon', `file:${output},iobase=0xe9`)).toMatchObject({ status: 0, exitValue: 1 });
          return readFileSync(output, 'latin1');
        };
        const theirs = join(folder, 'theirs');
        spawnSync('qemu-system-i386', [...options, ...more, ...exit, '-M', 'pc', '-display', 'none', '-debugcon', `file:${theirs}`], {
          timeout: PATIENCE_MS,
        });
        const expected = readFileSync(theirs, 'latin1');
        expect(expected).toContain('some words vga=5\0\xeb\x06KERNEL');
        if (more.length > 0) expect(expected).toContain('RAM disk');
        expect(run('ours')).toBe(expected);
        if (requireTool('/usr/share/qemu/linuxboot_dma.bin', 'qemu-system-data'))
          expect(run('ours with theirs', '-L', '/usr/share/qemu')).toBe(expected);
      },
    );
  },
);

describe.skipIf(!requireTool('nasm', 'nasm'))('a kernel started without firmware', () => {
  it('finds flat segments, a memory map, its command line, its RAM disk and ACPI tables', () => {
    const kernel = join(folder, 'kernel');
    const output = join(folder, 'direct');
    execFileSync('nasm', ['-f', 'bin', new URL('linux-kernel.asm', import.meta.url).pathname, '-o', kernel]);
    writeFileSync(join(folder, 'initrd'), 'RAM disk'.repeat(1000));
    const options = ['-m', '64M', '--nodefaults', '--kernel', kernel, '--initrd', join(folder, 'initrd'), '--append', 'some words'];
    const devices = ['--debugcon', `file:${output},iobase=0xe9`, '--device', 'isa-debug-exit,iobase=0xf4,iosize=1'];
    expect(summary('run', ...options, ...devices)).toMatchObject({ status: 0, exitValue: 1 });
    const found = readFileSync(output);
    expect([...found.subarray(0, 4)]).toEqual([0x10, 0x18, 0x18, 5]);
    const ranges = Array.from({ length: 5 }, (_, i) => [0, 8, 16].map((at) => found.readUInt32LE(4 + 20 * i + at)));
    expect(ranges).toEqual([
      [0, 0x9fc00, 1],
      [0x9fc00, 0x400, 2],
      [0xf0000, 0x10000, 2],
      [0x100000, 63 * MIB - 0x20000, 1],
      [64 * MIB - 0x20000, 0x20000, 2],
    ]);
    expect(found.toString('latin1', 104)).toBe('some words\0RAM diskRSD PTR RSDT');
  });
});
