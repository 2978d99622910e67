import type { BlockDevice } from '../../src/block/block-device.js';
import { guessGeometry } from './geometry.js';

/** CMOS: types of disks 0 and 1, their extended types, first byte of their nine bytes of geometry; translation of all four. */
const DISK_TYPES = 0x12;
const EXTENDED_TYPES = [0x19, 0x1a] as const;
const GEOMETRIES = [0x1b, 0x24] as const;
const TRANSLATIONS = 0x39;
/** "See the extended type"; there: user-defined. */
const TYPE_EXTENDED = 0x0f;
const TYPE_USER = 47;

/** What the CMOS RAM says of the disks, as register and value (AMI's layout, which SeaBIOS and QEMU keep to). */
export function diskCmos(drives: readonly (BlockDevice | null)[]): [register: number, value: number][] {
  const registers: [number, number][] = [];
  let types = 0;
  let translations = 0;
  drives.forEach((drive, n) => {
    if (drive === null) return;
    const { cylinders, heads, sectors, translation } = guessGeometry(drive);
    translations |= translation << (n * 2);
    if (n > 1) return;
    types |= TYPE_EXTENDED << (n === 0 ? 4 : 0);
    registers.push([EXTENDED_TYPES[n]!, TYPE_USER]);
    const control = 0xc0 | (heads > 8 ? 8 : 0);
    const bytes = [cylinders & 0xff, cylinders >> 8, heads, 0xff, 0xff, control, cylinders & 0xff, cylinders >> 8, sectors];
    bytes.forEach((value, i) => {
      registers.push([GEOMETRIES[n]! + i, value]);
    });
  });
  return [[DISK_TYPES, types], ...registers, [TRANSLATIONS, translations]];
}
