import { UserError } from '../core/errors.js';

/** Linux, Documentation/arch/x86/boot.rst, "The real-mode kernel header": offsets in the file. */
export const HDR = {
  SETUP_SECTS: 0x1f1,
  VID_MODE: 0x1fa,
  BOOT_FLAG: 0x1fe,
  MAGIC: 0x202,
  VERSION: 0x206,
  TYPE_OF_LOADER: 0x210,
  LOADFLAGS: 0x211,
  CODE32_START: 0x214,
  RAMDISK_IMAGE: 0x218,
  RAMDISK_SIZE: 0x21c,
  HEAP_END_PTR: 0x224,
  CMD_LINE_PTR: 0x228,
  INITRD_ADDR_MAX: 0x22c,
  XLOADFLAGS: 0x236,
} as const;
/** Before protocol 2.02: where the command line is found. */
const OLD_CL_MAGIC = 0x20;
const OLD_CL_OFFSET = 0x22;
const OLD_CL_MAGIC_VALUE = 0xa33f;

const MAGIC = 0x53726448;
const LOADED_HIGH = 0x01;
const CAN_USE_HEAP = 0x80;
const CAN_BE_LOADED_ABOVE_4G = 0x02;
/** The loader's name and version as QEMU gives it. */
const LOADER = 0xb0;
const SECTOR = 512;
const DEFAULT_SETUP_SECTS = 4;
const DEFAULT_INITRD_MAX = 0x37ffffff;
const PAGE = 4096;
/** Kept free at the end of memory for firmware's tables: 128 KiB and 32 KiB. */
const FIRMWARE_TABLES_BYTES = 0x28000;
const MODES: Readonly<Record<string, number>> = { normal: 0xffff, ext: 0xfffe, ask: 0xfffd };

/** What goes where in memory. Addresses are guest-physical. */
export interface LinuxImage {
  readonly setupAddress: number;
  /** The real-mode part with its header filled in. */
  readonly setup: Uint8Array;
  readonly kernelAddress: number;
  readonly kernel: Uint8Array;
  readonly cmdlineAddress: number;
  /** With the closing NUL. */
  readonly cmdline: Uint8Array;
  readonly initrdAddress: number;
  readonly initrd: Uint8Array | null;
  /** Version of the boot protocol: major in the high byte. */
  readonly protocol: number;
}

export interface LinuxFiles {
  /** For messages. */
  readonly path: string;
  readonly kernel: Uint8Array;
  readonly initrd: Uint8Array | null;
  readonly append: string;
  readonly memoryBytes: number;
}

/** Whether the file has the header of a Linux kernel with boot protocol 2.00 or later. */
export function isLinux(kernel: Uint8Array): boolean {
  return kernel.length >= HDR.MAGIC + 6 && new DataView(kernel.buffer, kernel.byteOffset).getUint32(HDR.MAGIC, true) === MAGIC;
}

/** Lays out a bzImage (or zImage), its RAM disk and command line as QEMU does. Throws UserError when they do not fit. */
export function linuxImage(files: LinuxFiles): LinuxImage {
  const { kernel, initrd } = files;
  const head = new DataView(kernel.buffer, kernel.byteOffset, kernel.length);
  const setupBytes = ((kernel[HDR.SETUP_SECTS] || DEFAULT_SETUP_SECTS) + 1) * SECTOR;
  if (setupBytes > kernel.length) throw new UserError('image-corrupt', `--kernel ${files.path}: shorter than its header says`);
  const protocol = head.getUint16(HDR.VERSION, true);
  const cmdline = new TextEncoder().encode(`${files.append}\0`);
  const at = places(protocol, (kernel[HDR.LOADFLAGS]! & LOADED_HIGH) !== 0, cmdline.length);
  const setup = kernel.slice(0, setupBytes);
  const header = new DataView(setup.buffer);
  if (protocol >= 0x202) header.setUint32(HDR.CMD_LINE_PTR, at.cmdlineAddress, true);
  else {
    header.setUint16(OLD_CL_MAGIC, OLD_CL_MAGIC_VALUE, true);
    header.setUint16(OLD_CL_OFFSET, at.cmdlineAddress - at.setupAddress, true);
  }
  const mode = videoMode(files.append);
  if (mode !== null) header.setUint16(HDR.VID_MODE, mode, true);
  setup[HDR.TYPE_OF_LOADER] = LOADER;
  if (protocol >= 0x201) {
    setup[HDR.LOADFLAGS]! |= CAN_USE_HEAP;
    header.setUint16(HDR.HEAP_END_PTR, at.cmdlineAddress - at.setupAddress - 0x200, true);
  }
  const initrdAddress = initrd === null ? 0 : placeInitrd(files, initrdLimit(head, protocol, files.memoryBytes));
  if (initrd !== null) {
    header.setUint32(HDR.RAMDISK_IMAGE, initrdAddress, true);
    header.setUint32(HDR.RAMDISK_SIZE, initrd.length, true);
  }
  return { ...at, setup, kernel: kernel.subarray(setupBytes), cmdline, initrdAddress, initrd, protocol };
}

function places(
  protocol: number,
  high: boolean,
  cmdlineBytes: number,
): { setupAddress: number; cmdlineAddress: number; kernelAddress: number } {
  // Room for the command line and its NUL, rounded up to 16 bytes.
  const room = (cmdlineBytes + 15) & ~15;
  if (!high) return { setupAddress: 0x90000, cmdlineAddress: 0x9a000 - room, kernelAddress: 0x10000 };
  if (protocol < 0x202) return { setupAddress: 0x90000, cmdlineAddress: 0x9a000 - room, kernelAddress: 0x100000 };
  return { setupAddress: 0x10000, cmdlineAddress: 0x20000, kernelAddress: 0x100000 };
}

/** Highest address that the end of the RAM disk may have. */
function initrdLimit(head: DataView, protocol: number, memoryBytes: number): number {
  const above = protocol >= 0x20c && (head.getUint16(HDR.XLOADFLAGS, true) & CAN_BE_LOADED_ABOVE_4G) !== 0;
  const asked = above ? 0xffffffff : protocol >= 0x203 ? head.getUint32(HDR.INITRD_ADDR_MAX, true) : DEFAULT_INITRD_MAX;
  const free = memoryBytes - FIRMWARE_TABLES_BYTES;
  return asked >= free ? free - 1 : asked;
}

function placeInitrd(files: LinuxFiles, limit: number): number {
  const { length } = files.initrd!;
  if (length >= limit)
    throw new UserError(
      'image-corrupt',
      `--initrd: ${length} bytes do not fit; --memory ${files.memoryBytes >>> 20}M has room for ${Math.max(0, limit)}`,
    );
  return (limit - length) & -PAGE;
}

/** The mode of vga= on the command line; null without one. */
function videoMode(append: string): number | null {
  const found = /vga=(\S*)/.exec(append);
  if (found === null) return null;
  const text = found[1]!;
  for (const [name, mode] of Object.entries(MODES)) if (text.startsWith(name)) return mode;
  if (!/^(0x[0-9a-f]+|\d+)$/i.test(text)) throw new UserError('bad-option', `--append vga=${text}: expected a number, normal, ext or ask`);
  return (/^0\d/.test(text) ? Number.parseInt(text, 8) : Number(text)) & 0xffff;
}
