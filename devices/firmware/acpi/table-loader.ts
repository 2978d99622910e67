import { ascii, little } from '../little-endian.js';

export const COMMAND_BYTES = 128;
export const FILE_BYTES = 56;
const ALLOCATE = 1;
export const ADD_POINTER = 2;
export const ADD_CHECKSUM = 3;
const ZONE_HIGH = 1;
const ZONE_FSEG = 2;

/** Where firmware puts a file: anywhere below 4 GiB, or where operating systems look for the RSDP. */
export type Zone = 'high' | 'f-segment';

/** The script that tells firmware how to put the tables into memory (QEMU, include/hw/acpi/bios-linker-loader.h describes the same; SeaBIOS, romfile_loader.h). */
export class TableLoader {
  private readonly bytes: number[] = [];

  allocate(file: string, alignment: number, zone: Zone): void {
    this.command(ALLOCATE, [...fileName(file), ...little(alignment, 4), zone === 'high' ? ZONE_HIGH : ZONE_FSEG]);
  }

  /** Adds the address that `source` was put at to the 4 bytes at `offset` of `file`. */
  addPointer(file: string, offset: number, source: string): void {
    this.command(ADD_POINTER, [...fileName(file), ...fileName(source), ...little(offset, 4), 4]);
  }

  /** Makes `length` bytes from `start` add up to 0 with the byte at `offset`. */
  addChecksum(file: string, offset: number, start: number, length: number): void {
    this.command(ADD_CHECKSUM, [...fileName(file), ...little(offset, 4), ...little(start, 4), ...little(length, 4)]);
  }

  /** The script, filled up to a multiple of `alignment`. */
  finish(alignment: number): Uint8Array {
    const whole = new Uint8Array(Math.ceil(this.bytes.length / alignment) * alignment);
    whole.set(this.bytes);
    return whole;
  }

  private command(kind: number, rest: readonly number[]): void {
    const bytes = [...little(kind, 4), ...rest];
    this.bytes.push(...bytes, ...new Array<number>(COMMAND_BYTES - bytes.length).fill(0));
  }
}

function fileName(name: string): number[] {
  return [...ascii(name), ...new Array<number>(FILE_BYTES - name.length).fill(0)];
}
