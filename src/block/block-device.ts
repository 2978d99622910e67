export const SECTOR_BYTES = 512;

/** A disk as sectors of 512 bytes. Requests are served at once; when the guest hears of it is the controller's business. */
export interface BlockDevice {
  readonly sectorCount: number;
  /** Fills `target`, a multiple of 512 bytes, inside the disk. False: the medium cannot be read there. */
  read(startSector: number, target: Uint8Array): boolean;
  /** Takes `source`, a multiple of 512 bytes, inside the disk. False: it cannot be written. */
  write(startSector: number, source: Uint8Array): boolean;
  /** Makes what was written last. */
  flush(): boolean;
}
