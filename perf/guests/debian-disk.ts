/** A small Linux guest with a disk: besides busybox, what tools/fetch-debian-i386.sh brought: the kernel's modules for IDE and ext4, mke2fs and e2fsck. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { link, makeBusyboxGuest, script } from './busybox.js';
import type { CpioFile } from './cpio.js';

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
const TOOLS = ['mke2fs', 'e2fsck'];
const LOAD_MODULES = `${MODULES.map((name) => `insmod /modules/${name}.ko`).join('\n')}
while [ ! -b /dev/sda ]; do :; done
`;
/** Takes the disks away and brings them back, now by PIO. */
export const BY_PIO = `for module in sd_mod ata_piix libata; do rmmod $module; done
insmod /modules/libata.ko dma=0
for module in ata_piix sd_mod; do insmod /modules/$module.ko; done
while [ ! -b /dev/sda ]; do :; done
`;

/** Whether what the guest is made of is there; see tools/fetch-debian-i386.sh. */
export const DISK_GUEST_NEEDS = join(DEBIAN_PACKAGES, 'mke2fs');

/** Writes linux and initrd into the folder. `text` is a script that runs, with rdinit=/script, when /dev/sda is there. */
export function makeDiskGuest(folder: string, text: string): { kernel: string; initrd: string } {
  const brought = (name: string, to: string): CpioFile => ({ name: to, mode: 0o755, data: readFileSync(join(DEBIAN_PACKAGES, name)) });
  const files: CpioFile[] = [
    { name: 'modules', mode: 0o755, data: null },
    ...['insmod', 'rmmod'].map((name) => link(`bin/${name}`, 'kmod')),
    ...TOOLS.map((name) => brought(name, `bin/${name}`)),
    ...MODULES.map((name) => brought(`${name}.ko`, `modules/${name}.ko`)),
    ...readdirSync(DEBIAN_PACKAGES)
      .filter((name) => /^lib.*\.so\.\d+$/.test(name))
      .map((name) => brought(name, `lib/${name}`)),
    script('script', LOAD_MODULES + text),
  ];
  return makeBusyboxGuest(folder, files, ['bin/kmod']);
}
