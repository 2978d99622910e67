import type { AcpiBoard } from './board.js';
import { dsdt } from './dsdt.js';
import { TableLoader } from './table-loader.js';
import { CHECKSUM_OFFSET, facs, fadt, HEADER_BYTES, hpetTable, madt, rsdp, rsdt, table, waet } from './tables.js';

export const TABLES_FILE = 'etc/acpi/tables';
export const RSDP_FILE = 'etc/acpi/rsdp';
export const LOADER_FILE = 'etc/table-loader';

const FACS_ALIGNMENT = 64;
const RSDP_ALIGNMENT = 16;
const RSDP_CHECKSUM = 8;
const RSDP_ADDRESS = 16;
/** Offsets in the FADT. */
const FADT_FACS = 36;
const FADT_DSDT = 40;
/** Files are filled up, so that their sizes do not change when a detail does. */
const TABLES_ALIGNMENT = 0x20000;
const LOADER_ALIGNMENT = 0x1000;

/** The files that hold the ACPI tables for firmware. */
export interface AcpiFiles {
  readonly tables: Uint8Array;
  readonly rsdp: Uint8Array;
  readonly loader: Uint8Array;
}

/** Builds the tables of a board whose power management ports firmware has put at `pmBase`. */
export function acpiFiles(board: AcpiBoard, pmBase: number): AcpiFiles {
  const loader = new TableLoader();
  const blob: number[] = [];
  const append = (bytes: Uint8Array): number => {
    blob.push(...bytes);
    return blob.length - bytes.length;
  };
  /** Appends a table that holds pointers (offsets in the blob, until firmware adds its address) at the offsets given. */
  const link = (bytes: Uint8Array, ...pointers: number[]): number => {
    const at = append(bytes);
    for (const offset of pointers) loader.addPointer(TABLES_FILE, at + offset, TABLES_FILE);
    loader.addChecksum(TABLES_FILE, at + CHECKSUM_OFFSET, at, bytes.length);
    return at;
  };
  loader.allocate(RSDP_FILE, RSDP_ALIGNMENT, 'f-segment');
  loader.allocate(TABLES_FILE, FACS_ALIGNMENT, 'high');
  const facsAt = append(facs());
  const dsdtAt = link(table('DSDT', dsdt(board)));
  const roots = [link(fadt(facsAt, dsdtAt, pmBase), FADT_FACS, FADT_DSDT), link(madt())];
  if (board.hpet) roots.push(link(hpetTable()));
  roots.push(link(waet()));
  const rsdtAt = link(rsdt(roots), ...roots.map((_, i) => HEADER_BYTES + 4 * i));
  const root = rsdp(rsdtAt);
  loader.addPointer(RSDP_FILE, RSDP_ADDRESS, TABLES_FILE);
  loader.addChecksum(RSDP_FILE, RSDP_CHECKSUM, 0, root.length);
  const tables = new Uint8Array(Math.ceil(blob.length / TABLES_ALIGNMENT) * TABLES_ALIGNMENT);
  tables.set(blob);
  return { tables, rsdp: root, loader: loader.finish(LOADER_ALIGNMENT) };
}
