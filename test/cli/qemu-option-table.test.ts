// Oracle: QEMU's manual page (7.2): spelling and words; which options: the project's description of record/replay, and what QEMU's functional tests pass.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseQemuOptions, type QemuCommandLine } from '../../src/cli/system/qemu-options.js';
import { configure, type MachineConfig } from '../../src/machine/config.js';
import { tinyQcow2 } from '../block/tiny-qcow2.js';
import { RECORDINGS, temporaryFolder } from '../cli.js';
import { SYSTEM } from '../monitor/qmp-program.js';

const folder = temporaryFolder();
const disk = join(folder, 'disk.qcow2');
writeFileSync(disk, tinyQcow2({ version: 3, sizeBytes: 4096 }).bytes);
const ROM = join(RECORDINGS, 't2.bin');

/** What a command line makes: what the program does, and the machine. */
function made(options: string): QemuCommandLine & { readonly config: MachineConfig } {
  const line = parseQemuOptions(options.split(' ').filter((word) => word !== ''));
  return { ...line, config: configure(line.machine) };
}

const socket = (path: string, more: object = {}) => ({
  address: { kind: 'unix', path },
  server: true,
  wait: false,
  telnet: false,
  ...more,
});

/** A sound card's back-end without options. */
const SOUND = { periodUs: 10_000, outHz: 44_100, inHz: 44_100 };
const qemuWav = { kind: 'wav', path: 'qemu.wav' };
const EXIT = { name: 'isa-debug-exit' };

describe('every option that record/replay or test frameworks use', () => {
  it.each<[string, object]>([
    ['-display none -vga none', { config: { vga: false } }],
    ['-vga std -nodefaults', { config: { vga: true, serial: [] } }],
    [
      '-chardev socket,id=m,path=p,server=on,wait=off -mon chardev=m,mode=control',
      { services: [{ kind: 'monitor', mode: 'control', where: socket('p') }] },
    ],
    [
      '-chardev socket,id=m,fd=5 -mon chardev=m',
      { services: [{ kind: 'monitor', mode: 'readline', where: { address: { kind: 'fd', fd: 5 } } }] },
    ],
    ['-machine pc', { config: { machine: 'pc', acpi: true } }],
    ['-M pc,hpet=off -no-acpi', { config: { hpet: false, acpi: false } }],
    ['-chardev null,id=c -serial chardev:c', { config: { serial: [{ kind: 'null' }] } }],
    ['-serial stdio', { config: { serial: [{ kind: 'stdio' }] } }],
    ['-serial null -serial none', { config: { serial: [{ kind: 'null' }] } }],
    ['-serial mon:stdio', { config: { serial: [{ kind: 'stdio' }] }, shared: true }],
    ['-S', { stopped: true }],
    ['', { stopped: false, stays: false, services: [], mode: 'none' }],
    ['-s', { services: [{ kind: 'gdb', where: { address: { host: '127.0.0.1', port: 1234 } } }] }],
    ['-gdb tcp::99', { services: [{ kind: 'gdb', where: { address: { host: '127.0.0.1', port: 99 } } }] }],
    ['-gdb unix:p', { services: [{ kind: 'gdb', where: socket('p') }] }],
    ['-gdb stdio', { services: [{ kind: 'gdb', where: 'stdio' }] }],
    ['-gdb none', { services: [] }],
    ['-chardev socket,id=g,path=p,server=on,wait=off -gdb chardev:g', { services: [{ kind: 'gdb', where: socket('p') }] }],
    ['-nodefaults -no-user-config', { config: { serial: [], vga: false } }],
    ['-no-shutdown', { stays: true }],
    ['-no-reboot', { config: { noReboot: true } }],
    ['-m 64', { config: { memoryBytes: 64 << 20 } }],
    ['-cpu max', { config: { cpu: 'max' } }],
    ['-smp 1 -accel tcg -parallel none -global apic.vapic=off', {}],
    [`-kernel ${ROM} -initrd ${ROM} -append a=b`, { config: { kernel: ROM, initrd: ROM, append: 'a=b' } }],
    ['-icount shift=7', { config: { shift: 7 }, mode: 'none' }],
    ['-icount shift=7,rr=record,rrfile=r', { config: { shift: 7 }, mode: 'record', log: 'r' }],
    [
      `-icount shift=3,rr=replay,rrfile=record.bin,rrsnapshot=init -net none -drive file=${disk},if=none,id=rr`,
      { mode: 'replay', log: 'record.bin', config: { drives: [], snapshots: { file: disk, first: 'init' } } },
    ],
    [
      `-icount shift=7,rr=record,rrfile=replay.bin -drive file=${disk},if=none,snapshot,id=img-direct -drive driver=blkreplay,if=none,image=img-direct,id=img-blkreplay -device ide-hd,drive=img-blkreplay -netdev user,id=net1 -device rtl8139,netdev=net1 -object filter-replay,id=replay,netdev=net1`,
      {
        mode: 'record',
        config: {
          drives: [{ file: disk, index: 0 }],
          nics: [{ id: 'rtl8139.0', network: 'net1', mac: '52:54:00:12:34:56', slot: 3 }],
          networks: [{ id: 'net1', filter: 'replay', user: { host: '10.0.2.2', dhcpStart: '10.0.2.15', forwards: [] } }],
        },
      },
    ],
    ['-net none -nic none', {}],
    [
      '-netdev user,id=a -netdev user,id=b,net=192.168.7.0/24 -object filter-replay,id=f,netdev=b -device rtl8139,netdev=b,addr=5 -device rtl8139,netdev=a,romfile=',
      {
        config: {
          nics: [
            { network: 'b', slot: 5, mac: '52:54:00:12:34:56' },
            { network: 'a', slot: 3, mac: '52:54:00:12:34:57', rom: null },
          ],
          networks: [
            { id: 'b', filter: 'f', user: { network: '192.168.7.0', host: '192.168.7.2', dhcpStart: '192.168.7.15' } },
            { id: 'a', filter: null },
          ],
        },
      },
    ],
    [
      '-nic user,model=rtl8139,hostfwd=tcp::2222-:22,hostfwd=udp:10.1.2.3:53-10.0.2.9:5353,restrict=on',
      {
        config: {
          nics: [{ network: 'user.0', slot: 3 }],
          networks: [
            {
              user: {
                restrict: true,
                forwards: [
                  { protocol: 'tcp', hostAddress: '127.0.0.1', hostPort: 2222, guestAddress: '10.0.2.15', guestPort: 22 },
                  { protocol: 'udp', hostAddress: '10.1.2.3', hostPort: 53, guestAddress: '10.0.2.9', guestPort: 5353 },
                ],
              },
            },
          ],
        },
      },
    ],
    ['-net nic,model=rtl8139,macaddr=2:0:0:0:0:1 -net user', { config: { nics: [{ mac: '02:00:00:00:00:01', network: 'user.0' }] } }],
    [`-drive file=${disk},index=2`, { config: { drives: [{ file: disk, index: 2 }] } }],
    [`-hdb ${disk}`, { config: { drives: [{ file: disk, index: 1 }] } }],
    [disk, { config: { drives: [{ file: disk, index: 0 }] } }],
    ['-soundhw ac97', { config: { devices: [{ name: 'AC97' }], audio: { ...SOUND, target: { kind: 'none' } } } }],
    ['-device AC97,audiodev=b -audiodev none,id=a -audiodev wav,id=b', { config: { audio: { ...SOUND, inHz: null, target: qemuWav } } }],
    ['-device isa-debug-exit -audio wav,model=ac97', { config: { devices: [{ name: 'AC97' }, EXIT], audio: { target: qemuWav } } }],
    [
      '-audio none,model=ac97,id=s,in.frequency=8000,in.path=a,,b,out.frequency=48000,timer-period=5000',
      { config: { audio: { periodUs: 5000, outHz: 48_000, inHz: 8000, source: 'a,b' } } },
    ],
    ['-device ac97,addr=0x1f', { config: { devices: [{ name: 'AC97', slot: 31 }] } }],
    ['-audiodev none,id=a', { config: { devices: [] } }],
    ['-device isa-debug-exit,iobase=0xf4,iosize=4', { config: { devices: [{ name: 'isa-debug-exit', iobase: 0xf4, iosize: 4 }] } }],
    ['-qmp unix:p,server=on,wait=off', { services: [{ mode: 'control', where: socket('p') }] }],
    ['-qmp tcp:localhost:44,server=on', { services: [{ mode: 'control', where: { server: true, wait: true } }] }],
    ['-monitor stdio', { services: [{ mode: 'readline', where: 'stdio' }] }],
    ['-monitor telnet::55,server=on,wait=off', { services: [{ mode: 'readline', where: { telnet: true } }] }],
    ['-monitor none -qmp null', { services: [] }],
    ['-nographic', { config: { serial: [{ kind: 'stdio' }] }, shared: true }],
    ['-rtc base=2026-01-31,clock=vm', { config: { rtcBase: '2026-01-31', rtcClock: 'vm' } }],
    ['-boot c', { config: { boot: { order: 'c' } } }],
    ['-boot order=dc,menu=on,strict=on', { config: { boot: { order: 'dc', menu: true, strict: true } } }],
    [`-bios ${ROM} -L ${RECORDINGS.replace(/\/$/, '')}/nowhere`, { absent: 'linuxboot_dma.bin' }],
    ['-name guest,debug-threads=on -pidfile p', { name: 'guest', pidFile: 'p' }],
    ['-debugcon file:x', { config: { debugcon: { target: { kind: 'file', path: 'x' } } } }],
  ])('%s', (options, expected) => {
    if ('absent' in expected) expect(() => made(options)).toThrow(expected.absent as string);
    else expect(made(options)).toMatchObject(expected);
  });
});

describe('what we lack is refused, by the option as it was given', () => {
  it.each([
    ['-device e1000', 'device e1000', 'network card'],
    ['-net nic', 'net nic', 'give model=rtl8139'],
    ['-nic user', 'nic user', 'give model=rtl8139'],
    ['-nic user,model=virtio-net-pci', 'nic user', 'network card'],
    ['-device rtl8139,netdev=a', 'device rtl8139,netdev=a', "Property 'rtl8139.netdev' can't find value 'a'"],
    ['-netdev user,id=a -device rtl8139,netdev=a -device rtl8139,netdev=a', 'device rtl8139', "can't take value 'a', it's in use"],
    ['-device rtl8139,mac=x', 'device rtl8139,mac=x', "Property 'rtl8139.mac' doesn't take value 'x'"],
    ['-device rtl8139,addr=1', 'device rtl8139,addr=1', 'not available'],
    ['-device rtl8139,rombar=0', 'device rtl8139,rombar=0', 'known are 1'],
    ['-netdev user,id=a -object filter-replay,id=f,netdev=a -object filter-replay,id=g,netdev=a', 'object', 'has a filter already'],
    ['-netdev user,id=a,smb=/tmp', 'netdev user', 'smb= is not supported'],
    ['-netdev user,id=a,ipv6=on', 'netdev user', 'ipv6=on'],
    ['-netdev user,id=a,host=10.0.3.2', 'netdev user', "Host doesn't belong to network"],
    ['-netdev user,id=a,hostfwd=tcp::1-:0', 'netdev user', "Invalid host forwarding rule 'tcp::1-:0' (Bad guest port)"],
    ['-netdev tap,id=a', 'netdev tap', 'known are user'],
    ['-netdev user', 'netdev user', "Parameter 'id' is missing"],
    ['-netdev user,id=a -netdev user,id=a', 'netdev user,id=a', "Duplicate ID 'a' for netdev"],
    ['-object filter-replay,id=f,netdev=a', 'object filter-replay,id=f,netdev=a', "Parameter 'netdev' expects a network backend id"],
    ['-netdev user,id=a -object filter-replay,id=f', 'object filter-replay,id=f', "Parameter 'netdev' is missing"],
    ['-object rng-random,id=r', 'object rng-random', 'known are filter-replay'],
    ['-soundhw es1370', 'soundhw es1370', 'sound card of that kind'],
    ['-soundhw ac97 -audio none,model=ac97', '', 'only one -soundhw option is allowed'],
    ['-device ac97 -device AC97', 'device AC97', 'one sound card'],
    ['-device AC97,audiodev=b -audiodev none,id=a', 'device AC97', "Property 'AC97.audiodev' can't find value 'b'"],
    ['-device AC97,addr=20', 'device AC97', 'addr=20'],
    ['-device intel-hda', 'device intel-hda', 'sound card of that kind'],
    ['-audiodev none', 'audiodev none', "Parameter 'id' is missing"],
    ['-audiodev pa,id=a', 'audiodev pa', 'known are none, wav'],
    ['-audiodev none,id=a,path=x', 'audiodev none,id=a,path=x', "Parameter 'path' is unexpected"],
    ['-audiodev none,id=a,timer-period=1', 'audiodev none,id=a,timer-period=1', 'at least 100'],
    ['-audiodev none,id=a,out.frequency=400000', 'audiodev out.frequency', 'between 0 and 192000'],
    ['-audiodev wav,id=a,out.format=f32', 'audiodev out.format f32', 'known are s16'],
    ['-audio none', 'audio none', "Parameter 'model' is missing"],
    ['-audio none,model=nosuch', 'audio none,model=nosuch', 'Unknown sound card name `nosuch'],
    ['-cdrom cd.iso', 'cdrom cd.iso', 'CD-ROM drive (ATAPI)'],
    ['-drive file=cd.iso,media=cdrom', 'drive file=cd.iso,media=cdrom', 'CD-ROM drive (ATAPI)'],
    ['-device ide-cd,drive=a', 'device ide-cd,drive=a', 'CD-ROM drive (ATAPI)'],
    ['-fda floppy.img', 'fda floppy.img', 'floppy controller'],
    ['-device virtio-blk-pci', 'device virtio-blk-pci', 'virtio'],
    ['-device nosuch', 'device nosuch', 'known are isa-debug-exit'],
    ['-boot zz', 'boot zz', "Invalid boot device 'z'"],
    ['-boot splash=a.bmp', 'boot splash=a.bmp', 'no boot pictures'],
    ['-gdb foo', 'gdb foo', 'expected tcp:HOST:PORT'],
    ['-chardev null,id=n -gdb chardev:n', 'gdb chardev:n', 'stdio or a socket'],
    ['-gdb stdio -serial stdio', '', 'cannot use stdio by multiple character devices'],
    ['-nographic -gdb stdio', '', 'cannot use stdio by multiple character devices'],
    ['-debugcon stdio -qmp stdio', '', 'cannot use stdio by multiple character devices'],
    ['-icount auto', 'icount', 'shift=auto'],
    ['-icount shift=3,sleep=off', 'icount', 'sleep=off'],
    ['-machine q35', 'machine', 'q35'],
    ['-cpu host', 'cpu', 'host'],
    ['-smp 4', 'smp 4', 'known are 1'],
    ['-vga cirrus', 'vga cirrus', 'none, std'],
    ['-display gtk', 'display gtk', 'known are none'],
    ['-enable-kvm', 'enable-kvm', 'not supported'],
    ['-usb', 'usb', 'not supported'],
    ['-incoming tcp::1', 'incoming', 'not supported'],
    ['-m 5G', 'm', 'between 1M and 3G'],
  ])('%s', (options, named, why) => {
    let said = '';
    try {
      made(options);
    } catch (e) {
      said = (e as Error).message;
    }
    expect(said).toContain(why);
    expect(said).toContain(named === 'm' ? '--memory' : named);
    expect(said).not.toContain('\n');
  });

  it('in one sentence on stderr, with one dash, and exit code 2', () => {
    for (const [options, sentence] of [
      [['-device', 'e1000,netdev=net1'], '-device e1000,netdev=net1 is not supported: this machine has no network card of that kind yet'],
      [['-m', '5G'], '-m 5G: expected between 1M and 3G'],
    ] as const) {
      const { status, stderr } = spawnSync(process.execPath, [SYSTEM, '-bios', ROM, ...options], { encoding: 'utf8' });
      expect([status, stderr]).toEqual([2, `palindrome-system-i386: ${sentence}\n`]);
    }
  });
});
