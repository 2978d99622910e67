/**
 * A small Linux guest with a disk: the kernel of Debian's installer, busybox and C library of its initrd, and what tools/fetch-debian-i386.sh brought: the
 * kernel's modules for IDE and ext4, mke2fs and e2fsck. Its initrd is a fifth of the installer's, so it is there in a third of the time.
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { type CpioFile, cpioArchive, filesOfCpio } from './cpio.js';
import { DEBIAN_I386 } from './debian.js';

/** Where tools/fetch-debian-i386.sh puts what it brings; seen from the built file as well. */
export const DEBIAN_PACKAGES = join(new URL('../../', import.meta.url).pathname.replace(/\/dist\/$/, '/'), '.cache/debian-i386');

/** In the order in which they need one another. */
const MODULES = [
  ...[
    'crct10dif_common',
    'crct10dif_generic',
    'crc32c_generic',
    'crc16',
    'crc64',
    'crc64_rocksoft_generic',
    'crc64-rocksoft',
    'crc-t10dif',
  ],
  ...['t10-pi', 'scsi_common', 'scsi_mod', 'libata', 'ata_piix', 'sd_mod', 'mbcache', 'jbd2', 'ext4'],
];
const INSTALLER_FILES = ['bin/busybox', 'bin/kmod', 'lib/i386-linux-gnu/ld-linux.so.2', 'lib/i386-linux-gnu/libc.so.6'];
const FOLDERS = ['bin', 'dev', 'lib', 'lib/i386-linux-gnu', 'mnt', 'modules', 'proc', 'sys'];
const TOOLS = ['mke2fs', 'e2fsck'];
const NAMES = [
  'sh',
  'cat',
  'cp',
  'cut',
  'dd',
  'dmesg',
  'echo',
  'find',
  'grep',
  'ls',
  'md5sum',
  'mount',
  'poweroff',
  'sed',
  'sort',
  'sync',
  'umount',
];

const BEGIN = `#!/bin/sh
export PATH=/bin LD_LIBRARY_PATH=/lib:/lib/i386-linux-gnu
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
${MODULES.map((name) => `insmod /modules/${name}.ko`).join('\n')}
while [ ! -b /dev/sda ]; do :; done
`;

const link = (name: string, to: string): CpioFile => ({ name, mode: 0o777, data: Buffer.from(to), link: true });

/** Whether what the guest is made of is there; see tools/fetch-debian-i386.sh. */
export const DISK_GUEST_NEEDS = join(DEBIAN_PACKAGES, 'mke2fs');

/** Writes linux and initrd.gz into the folder. `script` runs, with rdinit=/script, when /dev/sda is there. */
export function makeDiskGuest(folder: string, script: string): { kernel: string; initrd: string } {
  mkdirSync(folder, { recursive: true });
  const kernel = join(folder, 'linux');
  const initrd = join(folder, 'initrd.gz');
  const installer = filesOfCpio(gunzipSync(readFileSync(join(DEBIAN_I386, 'initrd.gz'))), INSTALLER_FILES);
  const brought = (name: string, to: string): CpioFile => ({ name: to, mode: 0o755, data: readFileSync(join(DEBIAN_PACKAGES, name)) });
  const files: CpioFile[] = [
    ...FOLDERS.map((name) => ({ name, mode: 0o755, data: null })),
    ...[...installer].map(([name, data]) => ({ name, mode: 0o755, data })),
    link('lib/ld-linux.so.2', 'i386-linux-gnu/ld-linux.so.2'),
    link('bin/insmod', 'kmod'),
    ...NAMES.map((name) => link(`bin/${name}`, 'busybox')),
    ...TOOLS.map((name) => brought(name, `bin/${name}`)),
    ...MODULES.map((name) => brought(`${name}.ko`, `modules/${name}.ko`)),
    ...readdirSync(DEBIAN_PACKAGES)
      .filter((name) => /^lib.*\.so\.\d+$/.test(name))
      .map((name) => brought(name, `lib/${name}`)),
    { name: 'script', mode: 0o755, data: Buffer.from(BEGIN + script) },
  ];
  copyFileSync(join(DEBIAN_I386, 'linux'), kernel);
  writeFileSync(initrd, gzipSync(cpioArchive(files), { level: 1 }));
  return { kernel, initrd };
}
