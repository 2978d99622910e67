import { type AcpiFiles, RSDP_FILE, TABLES_FILE } from '../../devices/firmware/acpi/acpi-tables.js';
import { ADD_CHECKSUM, ADD_POINTER, COMMAND_BYTES, FILE_BYTES } from '../../devices/firmware/acpi/table-loader.js';
import type { PhysicalMemory } from '../memory/physical.js';

/** Puts ACPI tables into memory as firmware would: carries out the script of TableLoader, but for its allocations. */
export function placeAcpi(memory: PhysicalMemory, files: AcpiFiles, tablesAt: number, rsdpAt: number): void {
  const contents = new Map([
    [TABLES_FILE, { at: tablesAt, bytes: files.tables.slice() }],
    [RSDP_FILE, { at: rsdpAt, bytes: files.rsdp.slice() }],
  ]);
  const file = (bytes: Uint8Array) => contents.get(new TextDecoder().decode(bytes).replace(/\0.*/s, ''))!;
  for (let i = 0; i + COMMAND_BYTES <= files.loader.length; i += COMMAND_BYTES) {
    const command = files.loader.subarray(i, i + COMMAND_BYTES);
    const word = (at: number): number => new DataView(command.buffer, command.byteOffset).getUint32(at, true);
    if (word(0) === ADD_POINTER) {
      const target = file(command.subarray(4, 4 + FILE_BYTES)).bytes;
      const source = file(command.subarray(4 + FILE_BYTES, 4 + 2 * FILE_BYTES));
      const view = new DataView(target.buffer);
      const offset = word(4 + 2 * FILE_BYTES);
      view.setUint32(offset, view.getUint32(offset, true) + source.at, true);
    } else if (word(0) === ADD_CHECKSUM) {
      const { bytes } = file(command.subarray(4, 4 + FILE_BYTES));
      const [offset, start, length] = [word(4 + FILE_BYTES), word(8 + FILE_BYTES), word(12 + FILE_BYTES)];
      bytes[offset] = -bytes.subarray(start, start + length).reduce((sum, b) => sum + b, 0);
    }
  }
  for (const { at, bytes } of contents.values()) memory.writeBytes(at, bytes);
}
