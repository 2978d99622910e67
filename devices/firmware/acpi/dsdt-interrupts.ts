import * as aml from './aml.js';
import { PCI_IRQS, SCI_IRQ } from './board.js';
import { interrupts, resources } from './resources.js';

const PINS = 4;
const SLOTS = 32;
/** The power management function's pin, wired to the SCI alone: slot 1, pin A. */
const SCI_PIN = 4;
/** _STA of a link: working, and hidden; without the decoding bit when it is off. */
const ON = 0x0b;
const OFF = 0x09;
/** PIRQRC: the router's line is not connected. */
const DISCONNECTED = 0x80;
/** Where the line's number is in an Interrupt descriptor. */
const IRQ_IN_DESCRIPTOR = 5;

/** _PRT: pin p of slot s goes to router line (s + p + 3) mod 4: LNKD, LNKA, LNKB, LNKC (82371SB, section 4.1.10 and the board's wiring). */
export function pciRouting(): aml.Aml {
  const [table, pin, slot, line, entry] = [0, 1, 2, 3, 4].map(aml.local) as [aml.Aml, aml.Aml, aml.Aml, aml.Aml, aml.Aml];
  const set = (link: string): aml.Aml => aml.store(aml.packageOf(4, aml.int(0), aml.int(0), aml.name(link), aml.int(0)), entry);
  const onLine = (n: number, ...body: aml.Aml[]): aml.Aml => aml.when(aml.equal(line, aml.int(n)), ...body);
  return aml.method(
    '_PRT',
    0,
    aml.store(aml.packageOf(SLOTS * PINS), table),
    aml.store(aml.int(0), pin),
    aml.loop(
      aml.less(pin, aml.int(SLOTS * PINS)),
      aml.store(aml.shiftRight(pin, aml.int(2)), slot),
      aml.store(aml.and(aml.add(pin, slot), aml.int(3)), line),
      onLine(0, set('LNKD')),
      onLine(1, aml.when(aml.equal(pin, aml.int(SCI_PIN)), set('LNKS')), aml.otherwise(set('LNKA'))),
      onLine(2, set('LNKB')),
      onLine(3, set('LNKC')),
      aml.store(aml.or(aml.shiftLeft(slot, aml.int(16)), aml.int(0xffff)), aml.index(entry, aml.int(0))),
      aml.store(aml.and(pin, aml.int(3)), aml.index(entry, aml.int(1))),
      aml.store(entry, aml.index(table, pin)),
      aml.increment(pin),
    ),
    aml.giveBack(table),
  );
}

/** The router's lines as devices, and what they share: IQST gives the state of a line, IQCR its interrupt. */
export function interruptLinks(): aml.Aml[] {
  return [
    aml.method('IQST', 1, aml.when(aml.and(aml.int(DISCONNECTED), aml.arg(0)), aml.giveBack(aml.int(OFF))), aml.giveBack(aml.int(ON))),
    aml.serialized(
      'IQCR',
      1,
      aml.named('PRR0', resources(interrupts(0))),
      aml.dwordField(aml.name('PRR0'), IRQ_IN_DESCRIPTOR, 'PRRI'),
      aml.when(aml.less(aml.arg(0), aml.int(DISCONNECTED)), aml.store(aml.arg(0), aml.name('PRRI'))),
      aml.giveBack(aml.name('PRR0')),
    ),
    ...['A', 'B', 'C', 'D'].map((letter, n) => link(`LNK${letter}`, n, `PRQ${n}`)),
    sciLink(),
  ];
}

function linkDevice(path: string, uid: number, lines: readonly number[], ...body: aml.Aml[]): aml.Aml {
  const possible = aml.named('_PRS', resources(interrupts(...lines)));
  return aml.device(path, aml.named('_HID', aml.eisaId('PNP0C0F')), aml.named('_UID', aml.int(uid)), possible, ...body);
}

/** A line whose PIRQRC register is the field `register`. */
function link(path: string, uid: number, register: string): aml.Aml {
  const route = aml.name(register);
  return linkDevice(
    path,
    uid,
    PCI_IRQS,
    aml.method('_STA', 0, aml.giveBack(aml.call('IQST', route))),
    aml.method('_DIS', 0, aml.or(route, aml.int(DISCONNECTED), route)),
    aml.method('_CRS', 0, aml.giveBack(aml.call('IQCR', route))),
    aml.method('_SRS', 1, aml.dwordField(aml.arg(0), IRQ_IN_DESCRIPTOR, 'PRRI'), aml.store(aml.name('PRRI'), route)),
  );
}

/** The SCI cannot be moved. */
function sciLink(): aml.Aml {
  return linkDevice(
    'LNKS',
    4,
    [SCI_IRQ],
    aml.method('_STA', 0, aml.giveBack(aml.int(ON))),
    aml.method('_DIS', 0),
    aml.method('_CRS', 0, aml.giveBack(aml.name('_PRS'))),
    aml.method('_SRS', 1),
  );
}
