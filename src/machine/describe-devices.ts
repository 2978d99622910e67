import type { PciDevice } from '../../devices/pci/pci-device.js';
import type { CharTarget } from './config.js';
import type { PcMachine } from './pc.js';

const MEBIBYTE = 1 << 20;
/** What the parts of the board are called in data sheets. */
const NAMES: Readonly<Record<string, string>> = {
  pic: '8259A interrupt controllers (master and slave)',
  ioapic: 'I/O APIC (82093AA)',
  pit: '8254 interval timer',
  rtc: 'MC146818 real-time clock and CMOS memory',
  hpet: 'HPET',
  i8042: '8042 keyboard controller, with PS/2 keyboard and mouse',
  dma: '8237A DMA controllers (master and slave)',
  'port-61': 'speaker and NMI control',
  'port-92': 'system control port A',
  'fw-cfg': 'firmware configuration (fw_cfg)',
  'isa-debug-exit': 'isa-debug-exit',
};
const FUNCTIONS: Readonly<Record<string, string>> = {
  i440fx: '440FX host bridge',
  piix3: 'PIIX3 ISA bridge',
  'piix3-ide': 'PIIX3 IDE controller',
  'piix4-pm': 'PIIX4 power management',
  'vga-pci': 'standard VGA',
  ac97: 'Intel 82801AA AC97 Audio',
  rtl8139: 'RTL8139C+ Ethernet controller',
};
const PLACES = ['ide.0 unit 0', 'ide.0 unit 1', 'ide.1 unit 0', 'ide.1 unit 1'];

/** What a machine consists of, as `info qtree` shows it: parts under the buses that they are on. */
export function describeDevices(machine: PcMachine): string[] {
  const { config, parts } = machine;
  const memory = `${config.memoryBytes / MEBIBYTE} MiB of memory`;
  const lines = [`machine: ${config.machine}, ${memory}`, `  cpu: ${config.cpu}${config.apic ? ', local APIC' : ''}`];
  if (parts.ioapic !== undefined) lines.push(`  ${NAMES.ioapic}`);
  if (parts.hpet !== undefined) lines.push(`  ${NAMES.hpet}`);
  if (parts['fw-cfg'] !== undefined) lines.push(`  ${NAMES['fw-cfg']}`);
  lines.push('  bus: pci.0');
  for (const device of machine.pciFunctions()) {
    // Cards of one kind are numbered.
    const name = Object.keys(parts)
      .find((n) => parts[n] === device)
      ?.replace(/-\d+$/, '');
    lines.push(`    ${pciLine(device, (name === undefined ? undefined : FUNCTIONS[name]) ?? 'function')}`);
    if (name === 'piix3') lines.push(...isaLines(machine).map((l) => `      ${l}`));
    if (name === 'piix3-ide') lines.push(...diskLines(machine).map((l) => `      ${l}`));
  }
  return lines;
}

function pciLine(device: PciDevice, name: string): string {
  const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
  const address = `${hex(device.devfn >> 3, 2)}.${device.devfn & 7}`;
  const id = `${hex(device.readConfig(0, 2), 4)}:${hex(device.readConfig(2, 2), 4)}`;
  return `addr ${address}: ${name}, class ${hex(device.readConfig(0x0a, 2), 4)}, pci id ${id}`;
}

function isaLines({ config, parts }: PcMachine): string[] {
  const shown = ['pic', 'pit', 'rtc', 'i8042', 'dma', 'port-61', 'port-92', 'isa-debug-exit'].filter((n) => parts[n] !== undefined);
  const { serial, debugcon } = config;
  return [
    'bus: isa.0',
    ...shown.map((name) => `  ${NAMES[name]}`),
    ...serial.map((target, n) => `  16550A serial port ${n}, on ${backEnd(target)}`),
    ...(debugcon === null
      ? []
      : [`  debug console at ports ${debugcon.ports.map((p) => `0x${p.toString(16)}`).join(', ')}, on ${backEnd(debugcon.target)}`]),
  ];
}

function backEnd(target: CharTarget): string {
  return target.kind === 'file' ? `file ${target.path}` : target.kind;
}

function diskLines({ config }: PcMachine): string[] {
  return [...config.drives]
    .sort((a, b) => a.index - b.index)
    .map(
      ({ index, file, format, backing = [] }) =>
        `${PLACES[index]}: ide-hd, ${[{ file, format }, ...backing].map((i) => `${i.file} (${i.format})`).join(' on ')}`,
    );
}
