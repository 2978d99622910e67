/** What the ACPI tables say of a `pc` board. */
export interface AcpiBoard {
  readonly memoryBytes: number;
  readonly hpet: boolean;
  /** Slot of the display adapter; null: none. */
  readonly displaySlot: number | null;
  /** COM1 and COM2 present. */
  readonly serialPorts: number;
  readonly parallelPort: boolean;
}

/** Where ACPI finds the parts that only it uses. */
export const ACPI_PORTS = {
  PCI_HOTPLUG: 0xae00,
  PCI_HOTPLUG_BYTES: 0x18,
  CPU_HOTPLUG: 0xaf00,
  CPU_HOTPLUG_BYTES: 0x0c,
  GPE0: 0xafe0,
  GPE0_BYTES: 4,
} as const;

/** The interrupt of the power management function, and those that PCI interrupts may be routed to. */
export const SCI_IRQ = 9;
export const PCI_IRQS = [5, 10, 11] as const;
