import * as aml from './aml.js';
import type { AcpiBoard } from './board.js';
import { isaDevices } from './dsdt-isa.js';

const SLOTS = 32;
const HOST_BRIDGE = 0;
const ISA_BRIDGE = 1;
const DEVICE_CHECK = 1;
const EJECT_REQUEST = 3;

/** Bus 0: each slot as a device, the methods that tell the operating system of changed slots. */
export function pciSlots(board: AcpiBoard): aml.Aml[] {
  const all = Array.from({ length: SLOTS }, (_, slot) => slot);
  const hotplug = (slot: number): boolean => slot !== HOST_BRIDGE && slot !== ISA_BRIDGE && slot !== board.displaySlot;
  return [
    aml.named('BSEL', aml.int(0)),
    ...all.map((slot) => {
      if (slot === ISA_BRIDGE) return slotDevice(slot, ...isaDevices(board));
      if (slot === board.displaySlot) return slotDevice(slot, ...displayStates());
      return hotplug(slot) ? slotDevice(slot, ...ejectable(slot)) : slotDevice(slot);
    }),
    aml.method(
      'DVNT',
      2,
      ...all.filter(hotplug).map((slot) => aml.when(aml.and(aml.arg(0), aml.int(2 ** slot)), aml.notify(slotName(slot), aml.arg(1)))),
    ),
    aml.method(
      'PCNT',
      0,
      aml.store(aml.int(0), aml.name('BNUM')),
      aml.call('DVNT', aml.name('PCIU'), aml.int(DEVICE_CHECK)),
      aml.call('DVNT', aml.name('PCID'), aml.int(EJECT_REQUEST)),
    ),
  ];
}

/** Named after device and function number. */
function slotName(slot: number): string {
  return `S${(slot << 3).toString(16).toUpperCase().padStart(2, '0')}`;
}

function slotDevice(slot: number, ...body: aml.Aml[]): aml.Aml {
  const here = aml.local(0);
  return aml.device(
    slotName(slot),
    aml.named('_ADR', aml.int(slot << 16)),
    aml.named('ASUN', aml.int(slot)),
    aml.serialized(
      '_DSM',
      4,
      aml.store(aml.packageOf(2, aml.name('BSEL'), aml.name('ASUN')), here),
      aml.giveBack(aml.call('PDSM', aml.arg(0), aml.arg(1), aml.arg(2), aml.arg(3), here)),
    ),
    ...body,
  );
}

function ejectable(slot: number): aml.Aml[] {
  return [aml.named('_SUN', aml.int(slot)), aml.method('_EJ0', 1, aml.call('PCEJ', aml.name('BSEL'), aml.name('_SUN')))];
}

/** A display stays in D0 in all sleep states. */
function displayStates(): aml.Aml[] {
  return ['_S1D', '_S2D', '_S3D'].map((path) => aml.method(path, 0, aml.giveBack(aml.int(0))));
}
