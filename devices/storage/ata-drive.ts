import type { BlockDevice } from '../../src/block/block-device.js';
import type { StatefulPart, StateSchema } from '../../src/core/state.js';
import { guessGeometry } from './geometry.js';

/** Status register (ATA-6, section 7.15). */
export const BSY = 0x80;
export const DRDY = 0x40;
export const DSC = 0x10;
export const DRQ = 0x08;
export const ERR = 0x01;
/** Error register: command aborted. */
export const ABRT = 0x04;
/** Device register. */
const LBA = 0x40;
const HEAD_MASK = 0x0f;
const ALWAYS_ON = 0xa0;
export const MAX_MULTIPLE = 16;

/** What happens when the last word of a PIO transfer has been moved. */
export const END_STOP = 0;
export const END_READ_SECTORS = 1;
export const END_WRITE_SECTORS = 2;

/** Requests on their way. */
export const PENDING_NONE = 0;
export const PENDING_READ = 1;
export const PENDING_WRITE = 2;
export const PENDING_FLUSH = 3;
export const PENDING_DMA = 4;

/** Registers, buffer and medium of one ATA device; `medium` is null where none is connected. What commands do is in ata-commands.ts. */
export class AtaDrive implements StatefulPart {
  readonly schema: StateSchema = {
    name: 'ata-drive',
    version: 1,
    fields: {
      feature: 'u8',
      error: 'u8',
      nsector: 'u32',
      sector: 'u8',
      lcyl: 'u8',
      hcyl: 'u8',
      hobFeature: 'u8',
      hobNsector: 'u8',
      hobSector: 'u8',
      hobLcyl: 'u8',
      hobHcyl: 'u8',
      select: 'u8',
      status: 'u8',
      lba48: 'bool',
      heads: 'u32',
      sectors: 'u32',
      resetReverts: 'bool',
      multiple: 'u8',
      requestSectors: 'u8',
      buffer: 'bytes',
      dataAt: 'u32',
      dataEnd: 'u32',
      endTransfer: 'u8',
      identifySet: 'bool',
      identify: 'bytes',
      writeCache: 'bool',
      smartEnabled: 'bool',
      smartAutosave: 'bool',
      dmaKind: 'u8',
      dmaBytes: 'u32',
      pending: 'u8',
      orphans: 'u32',
    },
  };
  feature = 0;
  error = 0;
  /** Sector count; while a command runs, the sectors left. */
  nsector = 0;
  sector = 0;
  lcyl = 0;
  hcyl = 0;
  /** What the registers held before the last write: the high bytes of 48-bit commands. */
  hobFeature = 0;
  hobNsector = 0;
  hobSector = 0;
  hobLcyl = 0;
  hobHcyl = 0;
  select = ALWAYS_ON;
  status = 0;
  lba48 = false;
  /** The current translation (INITIALIZE DEVICE PARAMETERS changes it). */
  heads = 0;
  sectors = 0;
  resetReverts = false;
  /** Sectors a block of READ and WRITE MULTIPLE. */
  multiple = MAX_MULTIPLE;
  /** Sectors a block of the running PIO command. */
  requestSectors = 0;
  readonly buffer = new Uint8Array(MAX_MULTIPLE * 512);
  /** The next byte of the PIO transfer in `buffer`, and its end. */
  dataAt = 0;
  dataEnd = 0;
  endTransfer = END_STOP;
  identifySet = false;
  readonly identify = new Uint8Array(512);
  writeCache = true;
  smartEnabled = true;
  smartAutosave = true;
  /** 0 read, 1 write, 2 trim. */
  dmaKind = 0;
  /** Bytes that the PRDs of the DMA under way describe. */
  dmaBytes = 0;
  pending = PENDING_NONE;
  /** Requests given up whose completion is still to come. */
  orphans = 0;
  readonly medium: BlockDevice | null;
  readonly cylinders: number;
  readonly serial: string;
  private readonly driveHeads: number;
  private readonly driveSectors: number;

  /** @param number 1 for the first device of the first channel up to 4; part of the serial number. */
  constructor(medium: BlockDevice | null, number: number) {
    this.medium = medium;
    const geometry = medium === null ? null : guessGeometry(medium);
    this.cylinders = geometry?.cylinders ?? 0;
    this.heads = this.driveHeads = geometry?.heads ?? 0;
    this.sectors = this.driveSectors = geometry?.sectors ?? 0;
    this.serial = `QM${String(number).padStart(5, '0')}`;
    this.resetRegisters();
  }

  get sectorCount(): number {
    return this.medium?.sectorCount ?? 0;
  }

  /** Registers after a reset; what was pending is somebody else's business. */
  resetRegisters(): void {
    if (this.resetReverts) {
      this.resetReverts = false;
      this.heads = this.driveHeads;
      this.sectors = this.driveSectors;
    }
    this.multiple = MAX_MULTIPLE;
    this.feature = 0;
    this.error = 0;
    this.hobFeature = 0;
    this.hobNsector = 0;
    this.hobSector = 0;
    this.hobLcyl = 0;
    this.hobHcyl = 0;
    this.select = ALWAYS_ON;
    this.status = DRDY | DSC;
    this.lba48 = false;
    this.requestSectors = 0;
    this.dmaBytes = 0;
    this.setSignature();
    this.endTransfer = END_STOP;
    this.dataAt = 0;
    this.dataEnd = 0;
    this.buffer.fill(0xff, 0, 4);
  }

  /** Registers tell a disk from a packet device or none. */
  setSignature(): void {
    this.select &= ~HEAD_MASK;
    this.nsector = 1;
    this.sector = 1;
    this.lcyl = this.hcyl = this.medium === null ? 0xff : 0;
  }

  selectOnly(): void {
    this.select = ALWAYS_ON;
  }

  /** Takes a write to command block register 1-6; the value before stays for the high half of 48-bit commands. */
  writeRegister(register: number, value: number): void {
    switch (register) {
      case 1:
        this.hobFeature = this.feature;
        this.feature = value;
        return;
      case 2:
        this.hobNsector = this.nsector & 0xff;
        this.nsector = value;
        return;
      case 3:
        this.hobSector = this.sector;
        this.sector = value;
        return;
      case 4:
        this.hobLcyl = this.lcyl;
        this.lcyl = value;
        return;
      case 5:
        this.hobHcyl = this.hcyl;
        this.hcyl = value;
        return;
      case 6:
        this.select = value | ALWAYS_ON;
    }
  }

  /** The sector that the registers address; may be outside the disk, or -1. */
  getSector(): number {
    const low = (this.hcyl << 16) | (this.lcyl << 8) | this.sector;
    if ((this.select & LBA) === 0)
      return ((this.hcyl << 8) | this.lcyl) * this.heads * this.sectors + (this.select & HEAD_MASK) * this.sectors + this.sector - 1;
    if (!this.lba48) return (this.select & HEAD_MASK) * 0x1000000 + low;
    return ((this.hobHcyl << 16) | (this.hobLcyl << 8) | this.hobSector) * 0x1000000 + low;
  }

  setSector(number: number): void {
    if (this.select & LBA) {
      const high = Math.floor(number / 0x1000000);
      this.sector = number & 0xff;
      this.lcyl = (number >>> 8) & 0xff;
      this.hcyl = (number >>> 16) & 0xff;
      if (this.lba48) {
        this.hobSector = high & 0xff;
        this.hobLcyl = (high >>> 8) & 0xff;
        this.hobHcyl = (high >>> 16) & 0xff;
      } else this.select = (this.select & ~HEAD_MASK) | (high & HEAD_MASK);
      return;
    }
    // A guest can set 0 sectors a track, where QEMU divides by zero.
    const track = this.sectors || 1;
    const perCylinder = (this.heads || 1) * track;
    const cylinder = Math.floor(number / perCylinder);
    const rest = number % perCylinder;
    this.hcyl = (cylinder >>> 8) & 0xff;
    this.lcyl = cylinder & 0xff;
    this.select = (this.select & ~HEAD_MASK) | (Math.floor(rest / track) & HEAD_MASK);
    this.sector = ((rest % track) + 1) & 0xff;
  }

  inRange(start: number, count: number): boolean {
    return start >= 0 && start + count <= this.sectorCount;
  }
}
