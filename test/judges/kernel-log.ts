/** What the Linux tests ask of a kernel's log. */

/** What a kernel says that misses interrupts, or cannot do what it wants. QEMU's processor has no machine check banks: that much it may say. */
export const COMPLAINTS = /soft lockup|lost interrupt|nobody cared|(?<!mce: )unable to|rcu.*stall|BUG:|WARNING:|Call Trace/i;

/** What Linux chooses on QEMU's pc with -icount, by its log and /proc/interrupts. */
export const CHOSEN = [
  /hpet0: 3 comparators, 64-bit 100\.000000 MHz counter/,
  /clocksource: Switched to clocksource \S+\r\n/,
  /IOAPIC\[0\]: apic_id 0, version 32, address 0xfec00000, GSI 0-23/,
  /\.\.TIMER: vector=0x30 apic1=0 pin1=2 apic2=-1 pin2=-1/,
  / IO-APIC +1-edge +i8042/,
  / IO-APIC +4-edge +ttyS0/,
  / Local timer interrupts/,
];

/** Dates, and what the kernel measures: timers come some instructions earlier or later from run to run. */
const MEASURED = /^(audit: type=|sched_clock: Marking stable|rtc_cmos .*setting system clock|tsc: Refined|clocksource: tsc: mask)/;

/** What a kernel reports of firmware, and what firmware has placed: where there is none, or it is another one, these lines differ. */
const OF_FIRMWARE = [
  // Its ROM at the end of the address space.
  /^BIOS-e820: \[mem 0x00000000fffc0000-/,
  /^\[mem 0x10000000-0xfff[bf]ffff\] available for PCI devices$/,
  /^fffc0000-ffffffff : Reserved$/,
  // Its tables, and where they are; PCI BIOS.
  /^(SMBIOS \S+ present\.|DMI: QEMU|DMI not present or invalid\.)/,
  /^found SMP MP-table at/,
  /^ACPI: RSDP 0x/,
  /^PCI: PCI BIOS revision/,
  // The RAM disk is put below tables in RAM, which are larger.
  /^RAMDISK: \[mem /,
  /^Memory: \d+K\/261624K available/,
  // The display, whose BIOS sets a mode.
  /^Console: colour /,
  /^ {2}03d4-03d5 : cga$/,
  /^000c0000-000c05ff : Video ROM$/,
  // The IDE controller's registers for DMA: the kernel places what firmware has not.
  /0000:00:01\.1: BAR 4 \[io /,
  /^ {2}[0-9a-f]{3}0-[0-9a-f]{3}f : 0000:00:01\.1$/,
];

/** The lines from the kernel's first on, without dates and times. */
export function kernelLines(output: string): string[] {
  return output
    .slice(output.indexOf('[    0.000000]'))
    .split('\r\n')
    .map((line) => line.replace(/^\[ *\d+\.\d+\] /, ''))
    .filter((line) => !MEASURED.test(line));
}

/** The lines that do not depend on firmware, of whatever `kernelLines` gives. */
export const withoutFirmware = (lines: readonly string[]): string[] => lines.filter((line) => !OF_FIRMWARE.some((kind) => kind.test(line)));
