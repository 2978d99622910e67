import { FW_CFG, type FwCfg } from './fw-cfg.js';
import { smbiosFiles } from './smbios.js';

const E820_RAM = 1;

export interface PcFwCfgOptions {
  readonly ramBytes: number;
  /** RAM below 4 GiB (all of it on this board). */
  readonly lowRamBytes: number;
  readonly nographic: boolean;
  readonly hpet: boolean;
  /** Milliseconds until firmware that found nothing to boot tries again; null: never. */
  readonly rebootTimeoutMs: number | null;
  /** Firmware offers a menu of devices, and waits so many milliseconds for a key; null: as it likes. */
  readonly bootMenu: boolean;
  readonly menuWaitMs: number | null;
  /** The file `bootorder`. */
  readonly bootOrder: Uint8Array;
  /** The board has power management. */
  readonly acpi: boolean;
  /** CPUID leaf 1: EAX and EDX. */
  readonly cpuVersion: number;
  readonly cpuFeatures: number;
}

/** Fills the firmware configuration with what the `pc` board says about itself. ACPI tables have a part of their own (AcpiFirmware). */
export function describePc(fwCfg: FwCfg, options: PcFwCfgOptions): void {
  fwCfg.addBytes(FW_CFG.UUID, new Uint8Array(16));
  fwCfg.addInteger(FW_CFG.NOGRAPHIC, options.nographic ? 1 : 0, 2);
  fwCfg.addInteger(FW_CFG.BOOT_MENU, options.bootMenu ? 1 : 0, 2);
  fwCfg.addInteger(FW_CFG.NB_CPUS, 1, 2);
  fwCfg.addInteger(FW_CFG.MAX_CPUS, 1, 2);
  fwCfg.addInteger(FW_CFG.RAM_SIZE, options.ramBytes, 8);
  fwCfg.addInteger(FW_CFG.IRQ0_OVERRIDE, 1, 4);
  fwCfg.addBytes(FW_CFG.ACPI_TABLES, new Uint8Array(0));
  fwCfg.addBytes(FW_CFG.HPET, hpetTable(options.hpet));
  // No NUMA nodes, and node 0 for the one CPU.
  fwCfg.addBytes(FW_CFG.NUMA, new Uint8Array(16));
  fwCfg.addFile('etc/boot-fail-wait', little32(options.rebootTimeoutMs ?? -1));
  if (options.menuWaitMs !== null) fwCfg.addFile('etc/boot-menu-wait', little32(options.menuWaitMs).subarray(0, 2));
  fwCfg.addFile('etc/e820', e820Entry(0, options.lowRamBytes, E820_RAM));
  if (options.acpi) {
    // S3 and S4 are supported, S4 has sleep type 2.
    fwCfg.addFile('etc/system-states', new Uint8Array([0x80, 0, 0, 0x81, 0x82, 0x80]));
    fwCfg.addFile('etc/tpm/log', new Uint8Array(0));
  }
  const { anchor, tables } = smbiosFiles({ ...options, memoryBytes: options.ramBytes });
  fwCfg.addFile('etc/smbios/smbios-anchor', anchor);
  fwCfg.addFile('etc/smbios/smbios-tables', tables);
  fwCfg.addFile('bootorder', options.bootOrder);
  fwCfg.addFile('bios-geometry', new Uint8Array(0));
}

function little32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  return bytes;
}

function e820Entry(base: number, lengthBytes: number, type: number): Uint8Array {
  const entry = new Uint8Array(20);
  const view = new DataView(entry.buffer);
  view.setBigUint64(0, BigInt(base), true);
  view.setBigUint64(8, BigInt(lengthBytes), true);
  view.setUint32(16, type, true);
  return entry;
}

/** Count, then eight packed entries: event timer block id, address (64 bits), minimum tick (16), page protection (8). */
function hpetTable(present: boolean): Uint8Array {
  const table = new Uint8Array(1 + 8 * 15);
  const view = new DataView(table.buffer);
  // 0xff: none known.
  table[0] = present ? 1 : 0xff;
  if (!present) return table;
  view.setUint32(1, 0x8086a201, true);
  view.setUint32(5, 0xfed00000, true);
  return table;
}
