import { FW_CFG, type FwCfg } from '../../devices/firmware/fw-cfg.js';
import { linuxBootRom } from '../../devices/firmware/linux-boot-rom.js';
import type { MachineConfig } from './config.js';
import { readInput } from './input-file.js';
import { type LinuxImage, linuxImage } from './linux-image.js';

/** The name is QEMU's: guests see it. */
const ROM_FILE = 'genroms/linuxboot_dma.bin';

/** Lays out the Linux kernel of a configuration. */
export function readLinux(config: MachineConfig, kernel: Uint8Array): LinuxImage {
  return linuxImage({
    path: config.kernel!,
    kernel,
    initrd: config.initrd === null ? null : readInput('--initrd', config.initrd, config.foundAt),
    append: config.append,
    memoryBytes: config.memoryBytes,
  });
}

/** Leaves a kernel to firmware: everything in the firmware configuration, and an option ROM, first in the boot order, that fetches it from there. */
export function offerLinux(fwCfg: FwCfg, image: LinuxImage, config: MachineConfig): void {
  const { initrd } = image;
  fwCfg.addInteger(FW_CFG.CMDLINE_ADDR, image.cmdlineAddress, 4);
  fwCfg.addInteger(FW_CFG.CMDLINE_SIZE, image.cmdline.length, 4);
  fwCfg.addBytes(FW_CFG.CMDLINE_DATA, image.cmdline);
  if (initrd !== null) {
    fwCfg.addInteger(FW_CFG.INITRD_ADDR, image.initrdAddress, 4);
    fwCfg.addInteger(FW_CFG.INITRD_SIZE, initrd.length, 4);
    fwCfg.addBytes(FW_CFG.INITRD_DATA, initrd);
  }
  fwCfg.addInteger(FW_CFG.KERNEL_ADDR, image.kernelAddress, 4);
  fwCfg.addInteger(FW_CFG.KERNEL_SIZE, image.kernel.length, 4);
  fwCfg.addBytes(FW_CFG.KERNEL_DATA, image.kernel);
  fwCfg.addInteger(FW_CFG.SETUP_ADDR, image.setupAddress, 4);
  fwCfg.addInteger(FW_CFG.SETUP_SIZE, image.setup.length, 4);
  fwCfg.addBytes(FW_CFG.SETUP_DATA, image.setup);
  fwCfg.addFile(ROM_FILE, config.linuxRom === null ? linuxBootRom() : readInput('-L', config.linuxRom, config.foundAt));
  fwCfg.addFile('bootorder', new TextEncoder().encode(`/rom@${ROM_FILE}\0`));
}
