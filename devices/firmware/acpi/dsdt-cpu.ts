import * as aml from './aml.js';
import { ACPI_PORTS } from './board.js';
import { ports, resources } from './resources.js';

const LOCK = '\\_SB.PCI0.PRES.CPLK';
/** How many new processors one scan can remember. */
const SCAN_ROOM = 255;
const register = (field: string): aml.Aml => aml.name(`\\_SB.PCI0.PRES.${field}`);
const ENABLED = register('CPEN');
const INSERTED = register('CINS');
const REMOVED = register('CRMV');
const EJECT = register('CEJ0');
const COMMAND = register('CCMD');
const SELECTOR = register('CSEL');
const DATA = register('CDAT');
/** Commands: find the next one with an event; then two that take what the operating system reports. */
const NEXT_WITH_EVENT = 0;
const REPORT_EVENT = 1;
const REPORT_STATUS = 2;
const DEVICE_CHECK = 1;
const EJECT_REQUEST = 3;

/** The registers through which processors come and go (QEMU docs/specs/acpi_cpu_hotplug), as a device. */
export function cpuHotplugPorts(): aml.Aml {
  const { CPU_HOTPLUG, CPU_HOTPLUG_BYTES } = ACPI_PORTS;
  return aml.device(
    '\\_SB.PCI0.PRES',
    aml.named('_HID', aml.eisaId('PNP0A06')),
    aml.named('_UID', aml.string('CPU Hotplug resources')),
    aml.mutex('CPLK'),
    aml.named('_CRS', resources(ports(CPU_HOTPLUG, 1, CPU_HOTPLUG_BYTES))),
    aml.region('PRST', aml.SYSTEM_IO, CPU_HOTPLUG, CPU_HOTPLUG_BYTES),
    aml.fields('PRST', aml.BYTE_ACCESS, aml.WRITE_AS_ZEROS, [
      ['', 32],
      ['CPEN', 1],
      ['CINS', 1],
      ['CRMV', 1],
      ['CEJ0', 1],
      ['CEJF', 1],
      ['', 3],
      ['CCMD', 8],
    ]),
    aml.fields('PRST', aml.DWORD_ACCESS, aml.PRESERVE, [
      ['CSEL', 32],
      ['', 32],
      ['CDAT', 32],
    ]),
    // The first write makes the registers leave their old form, a bit map.
    aml.serialized('_INI', 0, aml.store(aml.int(0), aml.name('CSEL'))),
  );
}

const locked = (...body: aml.Aml[]): aml.Aml[] => [aml.acquire(LOCK), ...body, aml.release(LOCK)];

/** The processors, one of them, and the methods they share. */
export function cpuContainer(): aml.Aml {
  return aml.device(
    '\\_SB.CPUS',
    aml.named('_HID', aml.string('ACPI0010')),
    aml.named('_CID', aml.eisaId('PNP0A05')),
    aml.method('CTFY', 2, aml.when(aml.equal(aml.arg(0), aml.int(0)), aml.notify('C000', aml.arg(1)))),
    aml.serialized(
      'CSTA',
      1,
      ...locked(
        aml.store(aml.arg(0), SELECTOR),
        aml.store(aml.int(0), aml.local(0)),
        aml.when(aml.equal(ENABLED, aml.int(1)), aml.store(aml.int(0x0f), aml.local(0))),
      ),
      aml.giveBack(aml.local(0)),
    ),
    aml.serialized('CEJ0', 1, ...locked(aml.store(aml.arg(0), SELECTOR), aml.store(aml.int(1), EJECT))),
    scan(),
    aml.serialized(
      'COST',
      4,
      ...locked(
        aml.store(aml.arg(0), SELECTOR),
        aml.store(aml.int(REPORT_EVENT), COMMAND),
        aml.store(aml.arg(1), DATA),
        aml.store(aml.int(REPORT_STATUS), COMMAND),
        aml.store(aml.arg(2), DATA),
      ),
    ),
    aml.processor(
      'C000',
      0,
      aml.serialized('_STA', 0, aml.giveBack(aml.call('CSTA', aml.int(0)))),
      // MADT entry: local APIC 0 of processor 0, enabled
      aml.named('_MAT', aml.buffer([0, 8, 0, 0, 1, 0, 0, 0])),
      aml.serialized('_OST', 3, aml.call('COST', aml.int(0), aml.arg(0), aml.arg(1), aml.arg(2))),
    ),
  );
}

/** CSCN: reports every processor that came or is to go. */
function scan(): aml.Aml {
  const [found, count, at, cpu, again] = [0, 1, 2, 3, 4].map(aml.local) as [aml.Aml, aml.Aml, aml.Aml, aml.Aml, aml.Aml];
  const yes = aml.int(1);
  const no = aml.int(0);
  const arrived = aml.when(
    aml.equal(INSERTED, yes),
    aml.store(cpu, aml.index(aml.name('CNEW'), count)),
    aml.increment(count),
    aml.store(yes, found),
  );
  const leaving = aml.otherwise(
    aml.when(aml.equal(REMOVED, yes), aml.call('CTFY', cpu, aml.int(EJECT_REQUEST)), aml.store(yes, REMOVED), aml.store(yes, found)),
  );
  const look = aml.loop(
    aml.bothTrue(aml.equal(found, yes), aml.less(cpu, aml.int(1))),
    aml.store(no, found),
    aml.store(cpu, SELECTOR),
    aml.store(aml.int(NEXT_WITH_EVENT), COMMAND),
    aml.when(aml.less(DATA, cpu), aml.BREAK),
    aml.when(aml.equal(count, aml.int(SCAN_ROOM)), aml.store(yes, again), aml.BREAK),
    aml.store(DATA, cpu),
    arrived,
    leaving,
    aml.increment(cpu),
  );
  const report = aml.loop(
    aml.less(at, count),
    aml.store(aml.derefOf(aml.index(aml.name('CNEW'), at)), cpu),
    aml.call('CTFY', cpu, aml.int(DEVICE_CHECK)),
    aml.store(cpu, aml.DEBUG),
    aml.store(cpu, SELECTOR),
    aml.store(yes, INSERTED),
    aml.increment(at),
  );
  return aml.serialized(
    'CSCN',
    0,
    ...locked(
      aml.named('CNEW', aml.packageOf(SCAN_ROOM)),
      aml.store(no, cpu),
      aml.store(yes, again),
      aml.loop(aml.equal(again, yes), aml.store(no, again), aml.store(yes, found), aml.store(no, count), look, aml.store(no, at), report),
    ),
  );
}
