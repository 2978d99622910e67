import { AcpiFirmware } from '../../devices/firmware/acpi/acpi-firmware.js';
import type { AcpiBoard } from '../../devices/firmware/acpi/board.js';
import type { FwCfg } from '../../devices/firmware/fw-cfg.js';
import { describePc } from '../../devices/firmware/pc-fw-cfg.js';
import type { Piix4Pm } from '../../devices/pci/piix4-pm.js';
import { cpuidFeatures, cpuidVersion } from '../../jit/x86/cpuid.js';
import { bootOrderFile } from './boot-option.js';
import { DISPLAY_SLOT, type MachineConfig } from './config.js';

/**
 * Tells firmware, and through its tables the operating system, about the board.
 * @param pm null: a board without power management, which has no ACPI tables
 * @returns the part that makes the tables
 */
export function describeFirmware(fwCfg: FwCfg, config: MachineConfig, pm: Pick<Piix4Pm, 'pmPorts'> | null): AcpiFirmware | null {
  describePc(fwCfg, {
    ramBytes: config.memoryBytes,
    lowRamBytes: config.memoryBytes,
    nographic: false,
    hpet: config.hpet,
    rebootTimeoutMs: config.rebootTimeoutMs,
    bootMenu: config.boot?.menu ?? false,
    menuWaitMs: config.boot?.menuWaitMs ?? null,
    bootOrder: bootOrderFile(
      [
        ...config.drives.map((drive) => ({ ...drive, path: `/pci@i0cf8/ide@1,1/drive@${drive.index >> 1}/disk@${drive.index & 1}` })),
        ...(config.nics ?? []).map((nic) => ({ ...nic, path: `/pci@i0cf8/ethernet@${nic.slot.toString(16)}/ethernet-phy@0` })),
      ],
      config.boot?.strict ?? false,
    ),
    acpi: pm !== null,
    cpuVersion: cpuidVersion(config.cpu),
    cpuFeatures: cpuidFeatures(config.cpu, config.apic),
  });
  if (pm === null) return null;
  return new AcpiFirmware(fwCfg, acpiBoard(config), () => pm.pmPorts());
}

/** The board as ACPI describes it. */
export function acpiBoard(config: MachineConfig): AcpiBoard {
  return {
    memoryBytes: config.memoryBytes,
    hpet: config.hpet,
    displaySlot: config.vga ? DISPLAY_SLOT : null,
    serialPorts: config.serial.length,
    parallelPort: false,
  };
}
