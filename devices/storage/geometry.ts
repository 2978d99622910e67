import { type BlockDevice, SECTOR_BYTES } from '../../src/block/block-device.js';

export interface Geometry {
  readonly cylinders: number;
  readonly heads: number;
  readonly sectors: number;
  /** How the BIOS is to translate cylinders, heads and sectors; CMOS register 0x39 has two bits for each disk. */
  readonly translation: Translation;
}

/** None, LBA-assisted, large. */
export type Translation = 0 | 1 | 2;

const NONE = 0;
const LBA = 1;
const LARGE = 2;
/** Up to this product of cylinders and heads, a translated disk is taken for a "large" one. */
const MAX_LARGE = 131072;

const MAX_CYLINDERS = 16383;
const PARTITION_TABLE = 0x1be;

/** Cylinders, heads and sectors of a disk: from its partition table when that fits an untranslated disk, else 16 heads of 63 sectors. */
export function guessGeometry(disk: BlockDevice): Geometry {
  const logical = partitionGeometry(disk);
  if (logical !== null && logical.heads <= 16) return logical;
  const cylinders = Math.min(MAX_CYLINDERS, Math.max(2, Math.floor(disk.sectorCount / (16 * 63))));
  const translation = logical === null ? (cylinders <= 1024 ? NONE : LBA) : cylinders * 16 <= MAX_LARGE ? LARGE : LBA;
  return { cylinders, heads: 16, sectors: 63, translation };
}

/** A partition that ends on a cylinder boundary shows heads and sectors. */
function partitionGeometry(disk: BlockDevice): Geometry | null {
  const sector = new Uint8Array(SECTOR_BYTES);
  if (!disk.read(0, sector) || sector[510] !== 0x55 || sector[511] !== 0xaa) return null;
  const view = new DataView(sector.buffer);
  for (let at = PARTITION_TABLE; at < 510; at += 16) {
    const endHead = sector[at + 5]!;
    const sectors = sector[at + 6]! & 63;
    if (view.getUint32(at + 12, true) === 0 || endHead === 0 || sectors === 0) continue;
    const cylinders = Math.floor(disk.sectorCount / ((endHead + 1) * sectors));
    if (cylinders >= 1 && cylinders <= MAX_CYLINDERS) return { cylinders, heads: endHead + 1, sectors, translation: NONE };
  }
  return null;
}
