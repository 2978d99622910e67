import { ascii, little } from '../little-endian.js';
import { ACPI_PORTS, PCI_IRQS, SCI_IRQ } from './board.js';

const OEM = ascii('BOCHS ');
const OEM_TABLE = ascii('BXPC    ');
const COMPILER = ascii('BXPC');
const SMI_PORT = 0xb2;
const APM_ACPI_ENABLE = 0xf1;
const APM_ACPI_DISABLE = 0xf0;
/** Latencies of C2 and C3 that say "not supported". */
const NO_C_STATE = 0x0fff;
const CENTURY_REGISTER = 0x32;
/** FADT flags: WBINVD works, C1 on all processors, no sleep button, RTC wakes from S4, use the PM timer or HPET rather than the processor's clock. */
const FADT_FLAGS = (1 << 0) | (1 << 2) | (1 << 5) | (1 << 7) | (1 << 15);
const LOCAL_APIC = 0xfee00000;
const IO_APIC = 0xfec00000;
const HPET_BASE = 0xfed00000;
const HPET_ID = 0x8086a201;
/** MPS INTI flags: active high, level-triggered. */
const ACTIVE_HIGH_LEVEL = 0x0d;
/** WAET: one read of the PM timer is enough. */
const GOOD_PM_TIMER = 2;

/** Offset of the checksum in a table's header. */
export const CHECKSUM_OFFSET = 9;
export const HEADER_BYTES = 36;

/** A table with its header (ACPI 6.4, section 5.2.6), checksum 0. */
export function table(signature: string, body: readonly number[], revision = 1): Uint8Array {
  const header = [
    ...ascii(signature),
    ...little(HEADER_BYTES + body.length, 4),
    revision,
    0,
    ...OEM,
    ...OEM_TABLE,
    ...little(1, 4),
    ...COMPILER,
  ];
  return Uint8Array.from([...header, ...little(1, 4), ...body]);
}

/** Firmware ACPI Control Structure (section 5.2.10). */
export function facs(): Uint8Array {
  return Uint8Array.from([...ascii('FACS'), ...little(64, 4), ...new Array<number>(56).fill(0)]);
}

/** Fixed ACPI Description Table, revision 1 (ACPI 1.0b, section 5.2.5). Addresses of FACS and DSDT are offsets in the blob of tables. */
export function fadt(facsAt: number, dsdtAt: number, pmBase: number): Uint8Array {
  const register = (offset: number): number[] => little(pmBase + offset, 4);
  return table('FACP', [
    ...little(facsAt, 4),
    ...little(dsdtAt, 4),
    ...[1, 0],
    ...little(SCI_IRQ, 2),
    ...little(SMI_PORT, 4),
    ...[APM_ACPI_ENABLE, APM_ACPI_DISABLE, 0, 0],
    ...[...register(0), ...little(0, 4), ...register(4), ...little(0, 4), ...little(0, 4), ...register(8)],
    ...[...little(ACPI_PORTS.GPE0, 4), ...little(0, 4)],
    // Lengths of PM1 event and control blocks, PM2, the timer, GPE0, GPE1; first event of GPE1; reserved
    ...[4, 2, 0, 4, ACPI_PORTS.GPE0_BYTES, 0, 0, 0],
    ...[...little(NO_C_STATE, 2), ...little(NO_C_STATE, 2)],
    // Cache flushing, duty cycle, alarm registers, century
    ...[...little(0, 4), 0, 0, 0, 0, CENTURY_REGISTER, 0, 0, 0],
    ...little(FADT_FLAGS, 4),
  ]);
}

/** Multiple APIC Description Table (section 5.2.12): one processor; IRQ 0 comes in at 2, the PCI and SCI lines are level-triggered. */
export function madt(): Uint8Array {
  const override = (from: number, to: number, flags: number): number[] => [2, 10, 0, from, ...little(to, 4), ...little(flags, 2)];
  const level = [...PCI_IRQS, SCI_IRQ].sort((a, b) => a - b);
  return table('APIC', [
    ...[...little(LOCAL_APIC, 4), ...little(1, 4)],
    ...[0, 8, 0, 0, ...little(1, 4)],
    ...[1, 12, 0, 0, ...little(IO_APIC, 4), ...little(0, 4)],
    ...override(0, 2, 0),
    ...level.flatMap((line) => override(line, line, ACTIVE_HIGH_LEVEL)),
    // LINT1 of all processors is NMI
    ...[4, 6, 0xff, 0, 0, 1],
  ]);
}

/** IA-PC HPET specification 1.0a, section 3.2.4. */
export function hpetTable(): Uint8Array {
  const address = [0, 0, 0, 0, ...little(HPET_BASE, 8)];
  return table('HPET', [...little(HPET_ID, 4), ...address, 0, ...little(0, 2), 0]);
}

/** Windows ACPI Emulated Devices Table. */
export function waet(): Uint8Array {
  return table('WAET', little(GOOD_PM_TIMER, 4));
}

/** Root System Description Table (section 5.2.7). */
export function rsdt(tablesAt: readonly number[]): Uint8Array {
  return table(
    'RSDT',
    tablesAt.flatMap((at) => little(at, 4)),
  );
}

/** Root System Description Pointer, revision 0 (ACPI 1.0b, section 5.2.4.1), checksum 0. */
export function rsdp(rsdtAt: number): Uint8Array {
  return Uint8Array.from([...ascii('RSD PTR '), 0, ...OEM, 0, ...little(rsdtAt, 4)]);
}
