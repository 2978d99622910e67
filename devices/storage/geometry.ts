import { type BlockDevice, SECTOR_BYTES } from '../../src/block/block-device.js';

export interface Geometry {
  readonly cylinders: number;
  readonly heads: number;
  readonly sectors: number;
}

const MAX_CYLINDERS = 16383;
const PARTITION_TABLE = 0x1be;

/** Cylinders, heads and sectors of a disk: from its partition table when that fits an unstranslated disk, else 16 heads of 63 sectors. */
export function guessGeometry(disk: BlockDevice): Geometry {
  const fromPartitions = partitionGeometry(disk);
  if (fromPartitions !== null && fromPartitions.heads <= 16) return fromPartitions;
  const cylinders = Math.min(MAX_CYLINDERS, Math.max(2, Math.floor(disk.sectorCount / (16 * 63))));
  return { cylinders, heads: 16, sectors: 63 };
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
    if (cylinders >= 1 && cylinders <= MAX_CYLINDERS) return { cylinders, heads: endHead + 1, sectors };
  }
  return null;
}
