// Oracle: QEMU run (7.2.22): the same guest with the same disks says the same; Debian's e2fsck; the host's own hashes of the files that were copied
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEBIAN_I386 } from '../../perf/guests/debian.js';
import { BY_PIO, DEBIAN_PACKAGES, DISK_GUEST_NEEDS, makeDiskGuest } from '../../perf/guests/debian-disk.js';
import { MAIN, palindrome, type Summary, temporaryFolder } from '../cli.js';
import { QEMU_PC } from '../machines.js';
import { PATIENCE_MS, requireTool } from '../tools.js';

const SEABIOS = '/usr/share/seabios/bios-256k.bin';
const MIB = 1 << 20;
const FIXED = '11111111-2222-3333-4444-555555555555';

/**
 * Makes a file system on each disk, copies onto it, reads back what the kernel has forgotten, and has it checked: first by DMA; then by PIO, which is given what DMA has
 * written.
 */
const SCRIPT = `dd if=/dev/sdb bs=64k count=32 2>/dev/null | md5sum
same() {
  echo 3 > /proc/sys/vm/drop_caches
  mount -t ext4 /dev/$1 /mnt
  cd /mnt
  md5sum $(find . -type f | sort)
  cd /
  umount /mnt
  e2fsck -f -n /dev/$1
  echo "judge: e2fsck of $1 by $2: $?"
}
fill() {
  dd if=/dev/zero of=/dev/$1 bs=64k count=1 2>/dev/null
  mke2fs -q -t ext4 -F -U ${FIXED} -E hash_seed=${FIXED},$2 /dev/$1
  mount -t ext4 /dev/$1 /mnt
  shift 2
  cp $* /mnt
  dd if=/bin/busybox of=/mnt/pieces bs=3000 2>/dev/null
  umount /mnt
}
cat /sys/class/ata_device/dev1.?/xfer_mode
for disk in sda sdb; do
  fill $disk discard /lib/*.so.* /modules/*.ko
  same $disk DMA
done
${BY_PIO}cat /sys/class/ata_device/dev1.?/xfer_mode
for disk in sda sdb; do
  same $disk PIO
  fill $disk nodiscard /lib/*.so.*
  same $disk PIO
done
dmesg | sed -n '/SCSI subsystem/,$p'
poweroff -f
`;

/** Without the kernel's tests of its ciphers, half the instructions of the boot. */
const SHORT = 'cryptomgr.notests';

const hash = (kind: string, bytes: Uint8Array): string => createHash(kind).update(bytes).digest('hex');

/** Both disks are probed at once: which is attached first depends on when the host has read their blocks, in QEMU too; they are taken away in that order. */
const IN_ORDER_OF_ATTACHMENT = /^sd \S+ \[sd[ab]\] (Attached SCSI disk|Synchronizing SCSI cache|Stopping disk)$/;
/** Its entropy comes from when interrupts come, so this is said some 0.1 s earlier or later, between whatever lines, in QEMU too. */
const CRNG_READY = 'random: crng init done';

/** Lines without times. */
function lines(output: string): string[] {
  const all = output
    .split('\r\n')
    .map((line) => line.replace(/^\[ *\d+\.\d+\] /, ''))
    .filter((line) => line !== CRNG_READY);
  const disks = all.filter((line) => IN_ORDER_OF_ATTACHMENT.test(line)).sort();
  return all.map((line) => (IN_ORDER_OF_ATTACHMENT.test(line) ? disks.shift()! : line));
}

const absent =
  !requireTool('qemu-system-i386', 'qemu-system-x86') ||
  !requireTool('qemu-img', 'qemu-utils') ||
  !requireTool(SEABIOS, 'seabios') ||
  !requireTool(join(DEBIAN_I386, 'linux'), 'debian-installer-12-netboot-i386') ||
  !requireTool('xz', 'xz-utils') ||
  !requireTool(DISK_GUEST_NEEDS, 'e2fsprogs and others, by tools/fetch-debian-i386.sh');

describe.skipIf(absent)('Debian with IDE disks, one raw, one of three images', () => {
  const folder = temporaryFolder();
  const at = (name: string): string => join(folder, name);
  const log = at('disk.rr');
  const IMAGES = ['disk.raw', 'base.raw', 'middle.qcow2', 'top.qcow2'];
  const hashes = (): string[] => IMAGES.map((name) => hash('sha256', readFileSync(at(name))));
  let before: string[] = [];
  let recorded = '';

  function makeImages(): void {
    const img = (...args: string[]): string => execFileSync('qemu-img', args, { cwd: folder, encoding: 'utf8' });
    writeFileSync(
      at('base.raw'),
      Uint8Array.from({ length: MIB }, (_, i) => i >> 9),
    );
    img('create', '-q', '-f', 'raw', 'disk.raw', '12M');
    img('convert', '-c', '-O', 'qcow2', '-o', 'compat=0.10', 'base.raw', 'middle.qcow2');
    img('create', '-q', '-f', 'qcow2', '-b', 'middle.qcow2', '-F', 'qcow2', '-o', 'cluster_size=4096', 'top.qcow2', '12M');
    execFileSync('qemu-io', ['-f', 'qcow2', '-c', 'write -q -P 77 500k 700k', '-c', 'write -q -z 200k 30k', 'top.qcow2'], { cwd: folder });
  }

  it('mke2fs, mount, copy and e2fsck -f find no error and say the same as in QEMU, ata_piix included, by DMA and by PIO', () => {
    makeImages();
    before = hashes();
    const { kernel, initrd } = makeDiskGuest(folder, SCRIPT);
    const append = `console=ttyS0 nokaslr rdinit=/script quiet panic=-1 ${SHORT}`;
    const options = ['-m', '128M', '--nodefaults', '--no-reboot', '--kernel', kernel, '--initrd', initrd, '--append', append];
    const disk = (image: string): string => `file=${at(image)},if=none,snapshot=on,id=${image}`;
    const drives = ['--drive', `${disk('disk.raw')},format=raw`, '--drive', disk('top.qcow2')];
    const devices = ['--device', 'ide-hd,drive=disk.raw,bus=ide.0', '--device', 'ide-hd,drive=top.qcow2,bus=ide.0,unit=1'];
    const ours = at('ours.txt');
    const args = [MAIN, 'record', log, ...options, ...drives, ...devices, '--bios', SEABIOS, '--serial', `file:${ours}`];
    const { status } = spawnSync(process.execPath, args, { timeout: PATIENCE_MS });
    recorded = readFileSync(ours, 'latin1');
    expect(status, recorded.slice(-1000)).toBe(0);

    const theirs = at('theirs.txt');
    const bare = [...QEMU_PC, '-cpu', 'qemu32', '-icount', 'shift=3', '--serial', `file:${theirs}`];
    expect(spawnSync('qemu-system-i386', [...options, ...drives, ...devices, ...bare], { timeout: PATIENCE_MS }).status).toBe(0);
    const inQemu = readFileSync(theirs, 'latin1');
    expect(lines(recorded)).toEqual(lines(inQemu));
    for (const output of [recorded, inQemu]) expect(output.split(CRNG_READY)).toHaveLength(2);

    const judged = ['sda', 'sdb'].flatMap((disk) => ['DMA', 'PIO', 'PIO'].map((way) => `judge: e2fsck of ${disk} by ${way}: 0`));
    expect(recorded.match(/^judge: e2fsck.*\d$/gm)?.toSorted()).toEqual(judged);
    expect(recorded.match(/^XFER_\w+/gm)).toEqual(['XFER_MW_DMA_2', 'XFER_MW_DMA_2', 'XFER_PIO_4', 'XFER_PIO_4']);
    expect(recorded).not.toMatch(/I\/O error|EXT4-fs error|critical target|lost interrupt|exception Emask/i);
    const start = execFileSync('qemu-img', ['convert', '-O', 'raw', at('top.qcow2'), at('flat')]) && readFileSync(at('flat'));
    expect(recorded).toContain(hash('md5', start.subarray(0, 2 * MIB)));
    // By either disk: written and read by DMA, read by PIO; and libraries, written and read by PIO.
    for (const name of readdirSync(DEBIAN_PACKAGES).filter((name) => /^ext4\.ko$|^lib.*\.so\.\d$/.test(name)))
      expect(recorded.split(`${hash('md5', readFileSync(join(DEBIAN_PACKAGES, name)))}  ./${name}\r\n`)).toHaveLength(
        1 + (name.startsWith('lib') ? 6 : 4),
      );
  });

  it('replays to the same digest with the same output', () => {
    const output = at('replayed.txt');
    const args = [MAIN, 'replay', log, '--serial', `file:${output}`, '--json'];
    const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: PATIENCE_MS });
    const { divergence, digest, shutdownCause } = JSON.parse(stdout) as Summary;
    expect({ divergence, shutdownCause }).toEqual({ divergence: null, shutdownCause: 'guest-shutdown' });
    expect(digest).toBe((JSON.parse(readFileSync(`${log}.json`, 'utf8')) as { final: { digest: string } }).final.digest);
    expect(readFileSync(output, 'latin1')).toBe(recorded);
  });

  it('completes every request by a BLOCK event, in order, and leaves the images alone', () => {
    const { stdout } = palindrome('log', 'dump', log);
    const ids = [...stdout.matchAll(/ ASYNC_BLOCK (\d+) /g)].map(([, id]) => Number(id));
    expect(ids.length).toBeGreaterThan(200);
    expect(ids).toEqual(ids.map((_, i) => i));
    expect(hashes()).toEqual(before);
  });
});
