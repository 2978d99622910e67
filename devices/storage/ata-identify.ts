import { type AtaDrive, MAX_MULTIPLE } from './ata-drive.js';

/** Words of IDENTIFY DEVICE that SET FEATURES changes. */
export const WORD_SINGLE_DMA = 62;
export const WORD_MULTI_DMA = 63;
export const WORD_FEATURES_ENABLED = 85;
export const WORD_ULTRA_DMA = 88;
const MODEL = 'QEMU HARDDISK';
const FIRMWARE = '2.5+';
const MAX_LBA28 = 0xfffffff;

/** Sets a word of the identification. */
export function setIdentifyWord(drive: AtaDrive, word: number, value: number): void {
  drive.identify[word * 2] = value & 0xff;
  drive.identify[word * 2 + 1] = (value >>> 8) & 0xff;
}

/** Text of `length` bytes padded with spaces, the bytes of each word swapped. */
function setText(drive: AtaDrive, word: number, length: number, text: string): void {
  for (let i = 0; i < length; i++) drive.identify[word * 2 + (i ^ 1)] = i < text.length ? text.charCodeAt(i) : 0x20;
}

/** Word 85: NOP, write cache as set, SMART. */
export function featuresEnabled(writeCache: boolean): number {
  return 0x4001 | (writeCache ? 0x20 : 0);
}

/** IDENTIFY DEVICE data (ATA-6, section 8.15), made when first asked for and kept: later changes of translation do not show, as in QEMU. */
export function identifyDevice(drive: AtaDrive): void {
  if (drive.identifySet) return;
  drive.identifySet = true;
  drive.identify.fill(0);
  const set = (word: number, value: number): void => setIdentifyWord(drive, word, value);
  const setLong = (word: number, value: number): void => {
    set(word, value & 0xffff);
    set(word + 1, (value >>> 16) & 0xffff);
  };
  const { cylinders, heads, sectors, sectorCount } = drive;
  set(0, 0x0040);
  set(1, cylinders);
  set(3, heads);
  set(4, 512 * sectors);
  set(5, 512);
  set(6, sectors);
  setText(drive, 10, 20, drive.serial);
  set(20, 3);
  set(21, 512);
  set(22, 4);
  setText(drive, 23, 8, FIRMWARE);
  setText(drive, 27, 40, MODEL);
  set(47, 0x8000 | MAX_MULTIPLE);
  set(48, 1);
  // IORDY, LBA and DMA supported.
  set(49, 0x0b00);
  set(51, 0x200);
  set(52, 0x200);
  set(53, 7);
  set(54, cylinders);
  set(55, heads);
  set(56, sectors);
  setLong(57, cylinders * heads * sectors);
  if (drive.multiple !== 0) set(59, 0x100 | drive.multiple);
  setLong(60, Math.min(sectorCount, MAX_LBA28));
  set(WORD_SINGLE_DMA, 7);
  set(WORD_MULTI_DMA, 7);
  set(64, 3);
  for (let word = 65; word <= 68; word++) set(word, 120);
  // Deterministic read after trim.
  set(69, 0x4000);
  set(80, 0xf0);
  set(81, 0x16);
  set(82, 0x4021);
  set(83, 0x7400);
  set(84, 0x4000);
  set(WORD_FEATURES_ENABLED, featuresEnabled(drive.writeCache));
  set(86, 0x3400);
  set(87, 0x4000);
  set(WORD_ULTRA_DMA, 0x203f);
  set(93, 0x6001);
  setLong(100, sectorCount >>> 0);
  setLong(102, Math.floor(sectorCount / 0x1_0000_0000));
  // 512-byte physical sectors.
  set(106, 0x6000);
  // TRIM.
  set(169, 1);
}
