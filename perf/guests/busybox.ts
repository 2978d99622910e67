/** What the small Linux guests have in common: busybox and the C library of the Debian installer's initrd. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type CpioFile, cpioArchive, filesOfCpio } from './cpio.js';
import { DEBIAN_I386 } from './debian.js';
import { unpackedKernel } from './unpacked-kernel.js';

const INSTALLER_FILES = ['bin/busybox', 'lib/i386-linux-gnu/ld-linux.so.2', 'lib/i386-linux-gnu/libc.so.6'];
const FOLDERS = ['bin', 'dev', 'lib', 'lib/i386-linux-gnu', 'mnt', 'proc', 'sys', 'tmp'];
const APPLETS = 'sh cat cp dd dmesg echo find grep md5sum mount poweroff sed seq sort tr umount'.split(' ');

/** A symbolic link. */
export const link = (name: string, to: string): CpioFile => ({ name, mode: 0o777, data: Buffer.from(to), link: true });

/** A shell script that mounts /proc, /sys and /dev first. */
export function script(name: string, text: string): CpioFile {
  const begin = '#!/bin/sh\nexport PATH=/bin LD_LIBRARY_PATH=/lib:/lib/i386-linux-gnu\n';
  const mounts = 'mount -t proc proc /proc\nmount -t sysfs sysfs /sys\nmount -t devtmpfs dev /dev\n';
  return { name, mode: 0o755, data: Buffer.from(begin + mounts + text) };
}

/**
 * Writes linux (the installer's kernel) and initrd (busybox, the C library, `more`) into the folder, both without compression: with cryptomgr.notests, which leaves
 * out the kernel's tests of its ciphers, a script is reached in half a billion instructions; with the installer's own files it takes eight.
 * @param fromInstaller further files of the installer's initrd
 */
export function makeBusyboxGuest(
  folder: string,
  more: readonly CpioFile[],
  fromInstaller: readonly string[] = [],
): { kernel: string; initrd: string } {
  mkdirSync(folder, { recursive: true });
  const kernel = join(folder, 'linux');
  const initrd = join(folder, 'initrd');
  const installer = filesOfCpio(gunzipSync(readFileSync(join(DEBIAN_I386, 'initrd.gz'))), [...INSTALLER_FILES, ...fromInstaller]);
  const files: CpioFile[] = [
    ...FOLDERS.map((name) => ({ name, mode: 0o755, data: null })),
    ...[...installer].map(([name, data]) => ({ name, mode: 0o755, data })),
    link('lib/ld-linux.so.2', 'i386-linux-gnu/ld-linux.so.2'),
    ...APPLETS.map((name) => link(`bin/${name}`, 'busybox')),
    ...more,
  ];
  writeFileSync(kernel, unpackedKernel(readFileSync(join(DEBIAN_I386, 'linux'))));
  writeFileSync(initrd, cpioArchive(files));
  return { kernel, initrd };
}

/** A guest with a shell and one script, for rdinit=/run. */
export function makeShellGuest(folder: string, text: string): { kernel: string; initrd: string } {
  return makeBusyboxGuest(folder, [script('run', text)]);
}
