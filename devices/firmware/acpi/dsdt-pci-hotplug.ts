import * as aml from './aml.js';
import { ACPI_PORTS } from './board.js';

/** _DSM of PCI devices (PCI firmware specification 3.1, section 4.6): function 7 gives the device a label. */
const LABELS = 'e5c937d0-3553-4d7a-9117-ea4d19c3434d';
const LABEL_FUNCTION = 7;
const NOT_THERE = 0xffffffff;

/** The registers that tell which slots have changed, and methods on them: PCEJ ejects a slot, AIDX asks for a device's number, PDSM answers _DSM. */
export function hotplugRegisters(): aml.Aml[] {
  const base = ACPI_PORTS.PCI_HOTPLUG;
  const registers = (region: string, offset: number, length: number, ...names: string[]): aml.Aml[] => [
    aml.region(region, aml.SYSTEM_IO, base + offset, length),
    aml.fields(
      region,
      aml.DWORD_ACCESS,
      aml.WRITE_AS_ZEROS,
      names.map((n) => [n, 32] as const),
    ),
  ];
  const slotBit = aml.shiftLeft(aml.int(1), aml.arg(1));
  return [
    ...registers('PCST', 0, 8, 'PCIU', 'PCID'),
    ...registers('SEJ', 8, 4, 'B0EJ'),
    ...registers('BNMR', 16, 8, 'BNUM', 'PIDX'),
    aml.mutex('BLCK'),
    aml.method(
      'PCEJ',
      2,
      aml.acquire('BLCK'),
      aml.store(aml.arg(0), aml.name('BNUM')),
      aml.store(slotBit, aml.name('B0EJ')),
      aml.release('BLCK'),
      aml.giveBack(aml.int(0)),
    ),
    aml.method(
      'AIDX',
      2,
      aml.acquire('BLCK'),
      aml.store(aml.arg(0), aml.name('BNUM')),
      aml.store(slotBit, aml.name('PIDX')),
      aml.store(aml.name('PIDX'), aml.local(0)),
      aml.release('BLCK'),
      aml.giveBack(aml.local(0)),
    ),
    deviceLabels(),
  ];
}

/** PDSM(UUID, revision, function, arguments, {bus, slot}). */
function deviceLabels(): aml.Aml {
  const [result, functions, number] = [aml.local(0), aml.local(1), aml.local(2)];
  const device = (n: number): aml.Aml => aml.derefOf(aml.index(aml.arg(4), aml.int(n)));
  const ask = aml.store(aml.call('AIDX', device(0), device(1)), number);
  const none = aml.equal(number, aml.int(0));
  const gone = aml.equal(number, aml.int(NOT_THERE));
  return aml.serialized(
    'PDSM',
    5,
    aml.when(
      aml.equal(aml.arg(2), aml.int(0)),
      aml.store(aml.buffer([0]), result),
      aml.store(aml.int(0), functions),
      aml.when(aml.not(aml.equal(aml.arg(0), aml.uuid(LABELS))), aml.giveBack(result)),
      aml.when(aml.less(aml.arg(1), aml.int(2)), aml.giveBack(result)),
      ask,
      aml.when(
        aml.not(aml.or(none, gone)),
        aml.or(functions, aml.int(1), functions),
        aml.or(functions, aml.shiftLeft(aml.int(1), aml.int(LABEL_FUNCTION)), functions),
      ),
      aml.store(functions, aml.index(result, aml.int(0))),
      aml.giveBack(result),
    ),
    aml.when(
      aml.equal(aml.arg(2), aml.int(LABEL_FUNCTION)),
      ask,
      aml.store(aml.packageOf(2), result),
      aml.when(
        aml.not(aml.eitherTrue(none, gone)),
        aml.store(number, aml.index(result, aml.int(0))),
        aml.store(aml.string(''), aml.index(result, aml.int(1))),
      ),
      aml.giveBack(result),
    ),
  );
}
