/** A wire to an interrupt controller or CPU pin. */
export interface IrqLine {
  set(level: boolean): void;
}

/** Width of an access in bytes. */
export type AccessSize = 1 | 2 | 4;

/**
 * A range of I/O ports or memory-mapped registers. `offset` counts from the start of the region.
 * Values are unsigned below 2^32. Accesses wider than `maxSize` (default 4) arrive split into little-endian parts of `maxSize`,
 * narrower than `minSize` (default 1) arrive widened to `minSize` and are cut to the width asked for (writes: as QEMU, unshifted parts).
 */
export interface IoHandlers {
  readonly name: string;
  read(offset: number, size: AccessSize): number;
  write(offset: number, value: number, size: AccessSize): void;
  readonly minSize?: AccessSize;
  readonly maxSize?: AccessSize;
  /**
   * Ports only: takes accesses whose offset is no multiple of their size. Otherwise these read 0 and write nothing, as QEMU has it
   * for all but its lists of old ISA ports (VGA, IDE, DMA pages).
   */
  readonly unaligned?: boolean;
}

/** The port space as a device sees it: where it plugs its registers in. Later registrations lie above earlier ones. */
export interface PortSpace {
  map(firstPort: number, count: number, handlers: IoHandlers): PortMapping;
}

export interface PortMapping {
  unmap(): void;
}

/** Physical memory as a bus master sees it (DMA). Addresses are guest-physical. */
export interface DmaMemory {
  readBytes(paddr: number, target: Uint8Array): void;
  writeBytes(paddr: number, source: Uint8Array): void;
}
