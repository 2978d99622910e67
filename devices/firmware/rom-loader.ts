import { UserError } from '../../src/core/errors.js';
import type { PhysicalMemory } from '../../src/memory/physical.js';
import type { PcMemoryMap } from '../pci/pc-memory-map.js';

const KIB = 1024;
const ALIGNMENT = 64 * KIB;
const MAX_BIOS_BYTES = 16 * 1024 * KIB;
const ISA_ALIAS_BYTES = 128 * KIB;
const OPTION_ROM_BASE = 0xc0000;
const OPTION_ROM_BYTES = 128 * KIB;

/** Backing memory that `loadBios` allocates for an image of this length. Throws UserError for a length no PC firmware has. */
export function biosBackingBytes(imageBytes: number): number {
  if (imageBytes === 0 || imageBytes % ALIGNMENT !== 0 || imageBytes > MAX_BIOS_BYTES)
    throw new UserError('image-corrupt', `--bios: the image has ${imageBytes} bytes; expected a multiple of 65536 up to 16 MiB`);
  return imageBytes + OPTION_ROM_BYTES;
}

/**
 * Puts a firmware image at the top of the 4 GiB, its last 128 KiB (or all of it) again below 1 MiB, and read-only zeros at 0xc0000 to 0xdffff
 * where option ROMs would be.
 */
export function loadBios(memory: PhysicalMemory, map: PcMemoryMap, image: Uint8Array): void {
  biosBackingBytes(image.length);
  const optionRoms = memory.allocate(OPTION_ROM_BYTES, 'option ROMs');
  map.addPciRegion(OPTION_ROM_BASE, OPTION_ROM_BYTES, optionRoms, null);
  const bios = memory.allocate(image.length, 'firmware');
  memory.install(bios, image);
  const alias = Math.min(image.length, ISA_ALIAS_BYTES);
  map.addPciRegion(0x100000 - alias, alias, bios + image.length - alias, null);
  map.addPciRegion(0x1_0000_0000 - image.length, image.length, bios, null, 0);
}
