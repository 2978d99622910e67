// Oracle: manual (README: machine options spelled as QEMU's; one sentence and exit code 2 for what cannot be used)
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/core/errors.js';
import { configure } from '../../src/machine/config.js';
import { MultibootKernel } from '../../src/machine/multiboot.js';
import { PhysicalMemory } from '../../src/memory/physical.js';
import { MAIN, palindrome, temporaryFolder } from '../cli.js';
import { guestOptions, refusal } from './guest.js';

const dir = temporaryFolder();
const guest = guestOptions(dir);

function file(name: string, bytes: Uint8Array | string): string {
  const path = join(dir, name);
  writeFileSync(path, bytes);
  return path;
}

/** A multiboot header: magic, flags, checksum, then what follows. */
function multiboot(flags: number, ...words: number[]): Uint8Array {
  const all = Uint32Array.of(0x1badb002, flags, -(0x1badb002 + flags), ...words);
  return new Uint8Array(all.buffer);
}

describe('the program', () => {
  it('starts as a file, with a thread of V8 for each processor but one', () => {
    const show = file('show.cjs', 'console.log(process.execArgv.join(), require("node:worker_threads").isMainThread);');
    const { status, stdout } = spawnSync(MAIN, ['--version'], {
      encoding: 'utf8',
      env: { ...process.env, NODE_OPTIONS: `--require ${show}` },
    });
    expect([status, stdout.split('\n')[0]]).toEqual([0, '--v8-pool-size=0 true']);
  });
});

describe('help', () => {
  it.each([
    [[]],
    [['run']],
    [['record']],
    [['replay']],
    [['demo']],
    [['log']],
    [['log', 'stat']],
    [['log', 'dump']],
    [['log', 'events']],
    [['log', 'convert']],
  ])('of %j says what it does and shows an example', (command) => {
    const { status, stdout, stderr } = palindrome(...command, '--help');
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^palindrome/);
    expect(stdout).toContain('Examples:');
  });

  it('is also -h, and is in English wherever the user lives', () => {
    expect(palindrome('-h').stdout).toContain('Commands:');
  });
});

describe('what cannot be used is refused with words that name it', () => {
  it.each([
    ['memory', 'x', '100K', '64G', ''],
    ['icount', 'shift=11', 'auto', 'shift=-1', 'shift=1,shift=2', 'align=on'],
    ['drive', 'format=raw', '=x', 'file=x,format=vhdx', 'file=x,index=4', 'file=x,toString=1'],
    ['serial', 'tcp:1', 'file:', ''],
    ['debugcon', 'pipe', 'null,iobase=0x10000', 'null,iobase='],
    ['device', 'e1000', '', 'isa-debug-exit,iosize=3', 'isa-debug-exit,iobase=0xffff,iosize=4', 'isa-debug-exit,iobase=x'],
    ['rtc', 'base=5', 'base=localtime', 'base=2026-13-01', 'clock=rt', 'base='],
    ['cpu', 'pentium', 'max,+sse9', ''],
    ['machine', 'q35', 'pc,usb=on'],
    ['net', 'tap', 'nic', 'nic,model=e1000'],
    ['nic', 'tap', 'user', 'user,model=rtl8139,hostfwd=tcp:1'],
    ['netdev', 'tap', 'user', 'user,id=a,net=10.0.2.0/40', 'user,id=a,tftp=/'],
    ['object', 'rng-random,id=r', 'filter-replay,id=f,netdev=a'],
  ])('--%s', (flag, ...values) => {
    const isList = ['drive', 'serial', 'device', 'net', 'nic', 'netdev', 'object'].includes(flag);
    for (const value of values) {
      const make = (): unknown => configure({ [flag]: isList ? [value] : value });
      expect(make, value).toThrow(UserError);
      expect(make, value).toThrow(new RegExp(`^--${flag}[ :]`));
    }
    expect(refusal('run', ...guest.filter((_, i) => flag !== 'memory' || i > 3), `--${flag}`, values[0]!)).toContain(`--${flag}`);
  });

  it.each([
    ['--drive', 'file=/nonexistent'],
    ['--serial', 'file:/nonexistent/out'],
    ['--until', '1e3'],
    ['--until', ''],
    ['--bios', '/nonexistent'],
    ['--bios', '/dev/zero'],
    ['--kernel', '/'],
  ])('%s %j', (flag, value) => {
    expect(refusal('run', ...(flag === '--kernel' ? [] : guest), flag, value)).toContain(flag);
  });

  it('an option that was given twice', () => {
    expect(refusal('run', '--icount', 'shift=1', '--icount', 'shift=2')).toContain('--icount is given more than once');
  });

  it('but not one that may be', () => {
    const image = file('raw.img', new Uint8Array(1 << 16));
    const folders = ['--backing-folder', dir, '--backing-folder', '/usr'];
    const { status, stderr } = palindrome('run', ...guest, '--drive', `file=${image},format=raw`, ...folders, '--until', '1000');
    expect({ status, stderr }).toMatchObject({ status: 0 });
  });

  it.each([
    [['--device', 'isa-debug-exit,iobase=0x60'], '--device isa-debug-exit,iobase=0x60: port 0x60 belongs to i8042 data already'],
    [['--device', 'isa-debug-exit,iobase=0x1e,iosize=4'], 'iobase=0x1e: port 0x20 belongs to pic already'],
    [['--device', 'isa-debug-exit,iobase=0x510'], 'belongs to fw-cfg already'],
    [['--debugcon', 'null,iobase=0x3f8', '--serial', 'null'], '--debugcon,iobase=0x3f8: port 0x3f8 belongs to uart already'],
    [['--debugcon', 'null,iobase=0xf5', '--device', 'isa-debug-exit,iobase=0xf5,iosize=1'], 'port 0xf5 belongs to isa-debug-exit already'],
    [['--device', 'isa-debug-exit,iobase=0xf4,iosize=1'], 'port 0xf4 belongs to another isa-debug-exit already'],
  ])('ports that belong to somebody else: %j', (options, message) => {
    expect(refusal('run', ...guest, ...options, '--until', '1000')).toContain(message);
  });

  it('an unknown option, command or value, or one that is missing', () => {
    expect(refusal('run', '--colour', 'red')).toContain('colour');
    expect(refusal('fly')).toContain('fly');
    expect(refusal('log', 'fly')).toContain('fly');
    expect(refusal('log')).toContain('palindrome log --help');
    expect(refusal()).toContain('palindrome --help');
    expect(refusal('record')).toContain('a file name is missing');
    expect(refusal('run', '--jit', 'maybe')).toContain('jit');
    expect(refusal('run', '--until')).toContain('until');
    expect(refusal('run', '--initrd', 'x')).toContain('--initrd needs --kernel');
    expect(refusal('replay', join(dir, 'absent.rr'))).toContain('absent.rr');
    expect(refusal('run', '--cpu')).toContain('--cpu needs a value');
    expect(refusal('log', 'convert', 'a', 'b')).toContain('--format is missing');
    expect(refusal('log', 'convert', 'a', 'b', '--format', '9')).toContain('--format 9: known are 5.2, 7.2');
    expect(refusal('log', 'dump', 'a', '--from', '5', '--to', '1')).toContain('--to 1 is before --from 5');
    expect(refusal('record', '', ...guest)).toContain('a file name is empty');
    expect(refusal('run', '--kernel', '')).toContain('--kernel: the file name is empty');
    expect(refusal('run', ...guest, '--drive', '')).toContain('--drive : file= is missing');
    expect(refusal('run', ...guest, '--device', '')).toContain('the name of a device is missing');
    expect(refusal('run', ...guest, '--boot', 'x')).toContain("--boot x: Invalid boot device 'x'");
    expect(refusal('demo', '--keep', join(dir, 'absent', 'folder'))).toContain('no such file or directory');
  });

  it('a screenshot that could not be written, before the machine runs', () => {
    const log = join(dir, 'no-picture.rr');
    expect(refusal('record', log, ...guest, '--screenshot', join(dir, 'a.png'))).toContain('this machine has no display');
    const shown = guest.filter((word) => word !== '--nodefaults');
    expect(refusal('record', log, ...shown, '--screenshot', join(dir, 'absent', 'a.png'))).toContain('no such folder');
    expect(existsSync(log)).toBe(false);
  });
});

describe('an image that cannot be used is refused in one line', () => {
  const load = 0x100000;
  it.each([
    ['is empty', ''],
    ['is not multiboot', 'hello'.repeat(1000)],
    ['asks for unknown features', multiboot(0x8)],
    ['is cut off in its header', multiboot(0x10000, load)],
    ['is to be loaded beyond the memory', multiboot(0x10000, 0xfffffff0, 0xfffffff0, 0, 0, 0xfffffff0)],
    ['has a header before its start', multiboot(0x10000, load, 0, 0, 0, load)],
    ['is shorter than its load area', multiboot(0x10000, load, load, load + 0x10000, 0, load)],
    ['ends before it starts', multiboot(0x10000, load, load, load - 16, 0, load)],
    ['has more bss than the memory', multiboot(0x10000, load, load, 0, 0xffffffff, load)],
    ['has neither addresses nor ELF headers', multiboot(0)],
  ])('a kernel that %s', (name, bytes) => {
    const kernel = file(`${name}.bin`, bytes);
    const load = (): unknown => new MultibootKernel(configure({ kernel, memory: '8M' }), readFileSync(kernel), new PhysicalMemory(8 << 20));
    expect(load).toThrow(UserError);
    expect(load).toThrow(`--kernel ${kernel}: `);
  });

  it('as every error of the machine, in one line', () => {
    expect(refusal('run', '--kernel', file('text.bin', 'hello'))).toContain('no multiboot header');
  });

  it.each([0, 70_000, 20 << 20])('firmware of %d bytes', (size) => {
    const bios = file('odd.bios', new Uint8Array(size));
    expect(refusal('run', '--memory', '8M', '--nodefaults', '--bios', bios)).toMatch(/--bios.*65536/);
  });

  it.each([0, (1 << 20) + 1])('a display ROM of %d bytes', (size) => {
    const rom = file('odd.rom', new Uint8Array(size));
    expect(refusal('run', '--memory', '8M', '--vgabios', rom, '--until', '1000')).toContain(
      `--vgabios: the image has ${size} bytes; expected 1 to 1048576`,
    );
  });

  it('an empty disk, and two disks in one place', () => {
    const empty = file('empty.img', '');
    const disk = file('disk.img', new Uint8Array(512));
    expect(refusal('run', ...guest, '--drive', `file=${empty}`)).toContain(`--drive file=${empty}`);
    expect(refusal('run', ...guest, '--drive', `file=${disk},index=1`, '--drive', `file=${disk},index=1`)).toContain('index=N');
  });
});
