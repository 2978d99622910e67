import * as aml from './aml.js';
import type { AcpiBoard } from './board.js';
import { dma, irq, ports, resources } from './resources.js';

const SHOWN = 0x0f;
/** PIRQRC[A:D] of the ISA bridge (82371SB, section 2.2.9). */
const PIRQRC = 0x60;
/** _FDE: no drives, whether there is a tape is unknown (section 9.9.1). */
const NO_FLOPPIES = [...new Array<number>(16).fill(0), 2, 0, 0, 0];

/** What hangs behind the ISA bridge, and the bridge's interrupt routing registers as PRQ0 to PRQ3. */
export function isaDevices(board: AcpiBoard): aml.Aml[] {
  return [
    aml.region('P40C', aml.PCI_CONFIG, PIRQRC, 4),
    aml.scope(
      '\\_SB',
      aml.fields(
        'PCI0.S08.P40C',
        aml.BYTE_ACCESS,
        aml.PRESERVE,
        [0, 1, 2, 3].map((n) => [`PRQ${n}`, 8] as const),
      ),
    ),
    shown('KBD', 'PNP0303', null, ports(0x60, 1, 1), ports(0x64, 1, 1), irq(1)),
    shown('MOU', 'PNP0F13', null, irq(12)),
    aml.device(
      'FDC0',
      aml.named('_HID', aml.eisaId('PNP0700')),
      aml.named('_CRS', resources(ports(0x3f2, 0, 4), ports(0x3f7, 0, 1), irq(6), dma(2))),
      aml.named('_FDE', aml.buffer(NO_FLOPPIES)),
    ),
    ...(board.parallelPort ? [shown('LPT1', 'PNP0400', 1, ports(0x378, 8, 8), irq(7))] : []),
    ...(board.serialPorts > 1 ? [shown('COM2', 'PNP0501', 2, ports(0x2f8, 0, 8), irq(3))] : []),
    ...(board.serialPorts > 0 ? [shown('COM1', 'PNP0501', 1, ports(0x3f8, 0, 8), irq(4))] : []),
    aml.device('RTC', aml.named('_HID', aml.eisaId('PNP0B00')), aml.named('_CRS', resources(ports(0x70, 1, 8), irq(8)))),
  ];
}

function shown(path: string, id: string, uid: number | null, ...list: (readonly number[])[]): aml.Aml {
  return aml.device(
    path,
    aml.named('_HID', aml.eisaId(id)),
    ...(uid === null ? [] : [aml.named('_UID', aml.int(uid))]),
    aml.named('_STA', aml.int(SHOWN)),
    aml.named('_CRS', resources(...list)),
  );
}
