import * as aml from './aml.js';
import { ACPI_PORTS, type AcpiBoard } from './board.js';
import { cpuContainer, cpuHotplugPorts } from './dsdt-cpu.js';
import { interruptLinks, pciRouting } from './dsdt-interrupts.js';
import { hotplugRegisters } from './dsdt-pci-hotplug.js';
import { pciSlots } from './dsdt-slots.js';
import { busNumbers, fixedMemory, memoryWindow, ports, portWindow, resources, wideMemoryWindow } from './resources.js';

const DEBUG_PORT = 0x402;
const HPET_BASE = 0xfed00000;
const HPET_BYTES = 0x400;
/** Longest counter period, in femtoseconds, that the HPET specification allows (section 2.3.4). */
const HPET_MAX_PERIOD = 100_000_000;
const FW_CFG_BASE = 0x510;
const PCI_CONFIG_PORT = 0xcf8;
const PCI_MEMORY_END = 0xfebfffff;
const GIB = 2 ** 30;
/** _STA: present, decoding, functioning, but not shown to the user. */
const HIDDEN = 0x0b;
const SHOWN = 0x0f;

/** The body of the Differentiated System Description Table: the devices of the `pc` board, as QEMU 7.2 describes them. */
export function dsdt(board: AcpiBoard): aml.Aml {
  return [
    debugOutput(),
    aml.scope(
      '_SB',
      aml.device('PCI0', aml.named('_HID', aml.eisaId('PNP0A03')), aml.named('_ADR', aml.int(0)), aml.named('_UID', aml.int(0))),
    ),
    aml.scope('_SB.PCI0', ...hotplugRegisters()),
    aml.scope('_SB', aml.scope('PCI0', pciRouting()), ...interruptLinks()),
    board.hpet ? aml.scope('_SB', hpetDevice()) : [],
    aml.scope('_GPE', aml.named('_HID', aml.string('ACPI0006'))),
    aml.scope('_SB', cpuHotplugPorts(), cpuContainer()),
    aml.method('\\_GPE._E02', 0, aml.call('\\_SB.CPUS.CSCN')),
    aml.scope(
      '\\_SB.PCI0',
      hostBridgeResources(board.memoryBytes),
      ownPorts('GPE0', 'GPE0 resources', ACPI_PORTS.GPE0, ACPI_PORTS.GPE0_BYTES),
      ownPorts('PHPR', 'PCI Hotplug resources', ACPI_PORTS.PCI_HOTPLUG, ACPI_PORTS.PCI_HOTPLUG_BYTES),
    ),
    sleepStates(),
    aml.scope('\\_SB.PCI0', firmwareConfiguration()),
    aml.scope('\\_SB', aml.scope('PCI0', ...pciSlots(board))),
    aml.scope('_GPE', hotplugEvent()),
  ].flat();
}

/** DBUG(x): x in hexadecimal on the debug port. */
function debugOutput(): aml.Aml {
  const [text, end, at] = [aml.local(0), aml.local(1), aml.local(2)];
  const port = aml.name('DBGB');
  return aml.scope(
    '\\',
    aml.region('DBG', aml.SYSTEM_IO, DEBUG_PORT, 1),
    aml.fields('DBG', aml.BYTE_ACCESS, aml.PRESERVE, [['DBGB', 8]]),
    aml.method(
      'DBUG',
      1,
      aml.toHexString(aml.arg(0), text),
      aml.toBuffer(text, text),
      aml.subtract(aml.sizeOf(text), aml.int(1), end),
      aml.store(aml.int(0), at),
      aml.loop(aml.less(at, end), aml.store(aml.derefOf(aml.index(text, at)), port), aml.increment(at)),
      aml.store(aml.int(0x0a), port),
    ),
  );
}

/** Present when its identification and counter period make sense. */
function hpetDevice(): aml.Aml {
  const [vendor, period] = [aml.local(0), aml.local(1)];
  const absent = (condition: aml.Aml): aml.Aml => aml.when(condition, aml.giveBack(aml.int(0)));
  return aml.device(
    'HPET',
    aml.named('_HID', aml.eisaId('PNP0103')),
    aml.named('_UID', aml.int(0)),
    aml.region('HPTM', aml.SYSTEM_MEMORY, HPET_BASE, HPET_BYTES),
    aml.fields(
      'HPTM',
      aml.DWORD_ACCESS,
      aml.PRESERVE,
      [
        ['VEND', 32],
        ['PRD', 32],
      ],
      true,
    ),
    aml.method(
      '_STA',
      0,
      aml.store(aml.name('VEND'), vendor),
      aml.store(aml.name('PRD'), period),
      aml.shiftRight(vendor, aml.int(16), vendor),
      absent(aml.eitherTrue(aml.equal(vendor, aml.int(0)), aml.equal(vendor, aml.int(0xffff)))),
      absent(aml.eitherTrue(aml.equal(period, aml.int(0)), aml.greater(period, aml.int(HPET_MAX_PERIOD)))),
      aml.giveBack(aml.int(SHOWN)),
    ),
    aml.named('_CRS', resources(fixedMemory(HPET_BASE, HPET_BYTES))),
  );
}

/** What the host bridge passes on to PCI: all ports but its own, video memory, the space behind RAM, 2 GiB behind 4 GiB. */
function hostBridgeResources(memoryBytes: number): aml.Aml {
  return aml.named(
    '_CRS',
    resources(
      busNumbers(0, 0xff),
      ports(PCI_CONFIG_PORT, 1, 8),
      portWindow(0, PCI_CONFIG_PORT - 1),
      portWindow(PCI_CONFIG_PORT + 8, 0xffff),
      memoryWindow(0xa0000, 0xbffff, true),
      memoryWindow(memoryBytes, PCI_MEMORY_END, false),
      wideMemoryWindow(4 * GIB, 6 * GIB - 1),
    ),
  );
}

/** A device that only says that ports are in use. */
function ownPorts(path: string, uid: string, base: number, length: number): aml.Aml {
  return aml.device(
    path,
    aml.named('_HID', aml.string('PNP0A06')),
    aml.named('_UID', aml.string(uid)),
    aml.named('_STA', aml.int(HIDDEN)),
    aml.named('_CRS', resources(ports(base, 1, length))),
  );
}

/** SLP_TYP values for PM1a and PM1b: suspend 1, hibernate 2, off 0. */
function sleepStates(): aml.Aml {
  const state = (path: string, type: number): aml.Aml =>
    aml.named(path, aml.packageOf(4, aml.int(type), aml.int(type), aml.int(0), aml.int(0)));
  return aml.scope('\\', state('_S3', 1), state('_S4', 2), state('_S5', 0));
}

function firmwareConfiguration(): aml.Aml {
  return aml.device(
    'FWCF',
    aml.named('_HID', aml.string('QEMU0002')),
    aml.named('_STA', aml.int(HIDDEN)),
    aml.named('_CRS', resources(ports(FW_CFG_BASE, 1, 12))),
  );
}

/** General-purpose event 1: slots have changed. */
function hotplugEvent(): aml.Aml {
  return aml.method('_E01', 0, aml.acquire('\\_SB.PCI0.BLCK'), aml.call('\\_SB.PCI0.PCNT'), aml.release('\\_SB.PCI0.BLCK'));
}
