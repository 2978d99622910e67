import { ascii, little } from './little-endian.js';

const MAKER = 'QEMU';
const PRODUCT = 'Standard PC (i440FX + PIIX, 1996)';
const VERSION = 'pc-i440fx-7.2';
/** Handles: the kind of structure in the high byte, but for the memory array. */
const SYSTEM = 0x100;
const CHASSIS = 0x300;
const PROCESSOR = 0x400;
const MEMORY_ARRAY = 0x1000;
const MEMORY_DEVICE = 0x1100;
const MEMORY_RANGE = 0x1300;
const BOOT = 0x2000;
const END = 0x7f00;
const NO_HANDLE = 0xffff;
const NO_ERROR_INFORMATION = 0xfffe;
const UNKNOWN_WIDTH = 0xffff;
const PROCESSOR_MHZ = 2000;

export interface SmbiosBoard {
  readonly memoryBytes: number;
  /** CPUID leaf 1: EAX and EDX. */
  readonly cpuVersion: number;
  readonly cpuFeatures: number;
}

/** The entry point, unfinished (firmware adds the address and checksums), and the structures. */
export interface SmbiosFiles {
  readonly anchor: Uint8Array;
  readonly tables: Uint8Array;
}

/** What SMBIOS 2.8 (DMTF DSP0134, chapters 5 to 7) says of the `pc` board. Firmware adds a structure of type 0 about itself. */
export function smbiosFiles(board: SmbiosBoard): SmbiosFiles {
  const structures = [
    system(),
    chassis(),
    processor(board),
    memoryArray(board),
    memoryDevice(board),
    memoryRange(board),
    boot(),
    structure(127, END, []),
  ];
  const tables = structures.flat();
  return {
    anchor: entryPoint(structures.length, Math.max(...structures.map((s) => s.length)), tables.length),
    tables: Uint8Array.from(tables),
  };
}

/** Section 5.2.1. */
function entryPoint(count: number, largest: number, totalBytes: number): Uint8Array {
  const intermediate = [...ascii('_DMI_'), 0, ...little(totalBytes, 2), ...little(0, 4), ...little(count, 2), 0x28];
  return Uint8Array.from([...ascii('_SM_'), 0, 0x1f, 2, 8, ...little(largest, 2), 0, 0, 0, 0, 0, 0, ...intermediate]);
}

/** Section 6.1: header, formatted part, strings; the formatted part names strings by their number from 1. */
function structure(type: number, handle: number, body: readonly number[], ...strings: string[]): number[] {
  const text = strings.flatMap((s) => [...ascii(s), 0]);
  return [type, 4 + body.length, ...little(handle, 2), ...body, ...(text.length === 0 ? [0] : text), 0];
}

/** Type 1: no serial number, UUID 0, woken by the power switch. */
function system(): number[] {
  return structure(1, SYSTEM, [1, 2, 3, 0, ...new Array<number>(16).fill(0), 6, 0, 0], MAKER, PRODUCT, VERSION);
}

/** Type 3: kind "other"; states safe, security unknown. */
function chassis(): number[] {
  return structure(3, CHASSIS, [1, 1, 2, 0, 0, 3, 3, 3, 2, ...little(0, 4), 0, 0, 0, 0, 0], MAKER, VERSION);
}

/** Type 4: one core, one thread, no caches described. */
function processor(board: SmbiosBoard): number[] {
  const speed = little(PROCESSOR_MHZ, 2);
  const body = [
    ...[1, 3, 1, 2, ...little(board.cpuVersion, 4), ...little(board.cpuFeatures, 4), 3, 0],
    ...[...little(0, 2), ...speed, ...speed, 0x41, 1],
    ...[...little(NO_HANDLE, 2), ...little(NO_HANDLE, 2), ...little(NO_HANDLE, 2), 0, 0, 0],
    ...[1, 1, 1, ...little(2, 2), ...little(1, 2)],
  ];
  return structure(4, PROCESSOR, body, 'CPU 0', MAKER, VERSION);
}

/** Type 16: system memory, multi-bit ECC. */
function memoryArray(board: SmbiosBoard): number[] {
  const capacity = little(Math.ceil(board.memoryBytes / 1024), 4);
  return structure(16, MEMORY_ARRAY, [1, 3, 6, ...capacity, ...little(NO_ERROR_INFORMATION, 2), ...little(1, 2), ...little(0, 8)]);
}

/** Type 17: one DIMM. */
function memoryDevice(board: SmbiosBoard): number[] {
  const body = [
    ...[...little(MEMORY_ARRAY, 2), ...little(NO_ERROR_INFORMATION, 2), ...little(UNKNOWN_WIDTH, 2), ...little(UNKNOWN_WIDTH, 2)],
    ...[...little(Math.ceil(board.memoryBytes / 2 ** 20), 2), 9, 0, 1, 0, 7, ...little(2, 2), ...little(0, 2), 2, 0, 0, 0],
    // Attributes, extended size, configured speed, voltages
    ...[0, ...little(0, 4), ...little(0, 2), ...little(0, 2), ...little(0, 2), ...little(0, 2)],
  ];
  return structure(17, MEMORY_DEVICE, body, 'DIMM 0', MAKER);
}

/** Type 19: where the array is in the address space, in KiB. */
function memoryRange(board: SmbiosBoard): number[] {
  const last = Math.floor((board.memoryBytes - 1) / 1024);
  return structure(19, MEMORY_RANGE, [...little(0, 4), ...little(last, 4), ...little(MEMORY_ARRAY, 2), 1, ...little(0, 16)]);
}

/** Type 32: no boot errors. */
function boot(): number[] {
  return structure(32, BOOT, new Array<number>(7).fill(0));
}
