// Oracle: qemu-img snapshot -l (QEMU 7.2.22), which prints sizes by C's %0.3g (ISO C 7.21.6.1)
import { expect, it } from 'vitest';
import { snapshotTable } from '../../src/machine/snapshot-table.js';

const KIB = 1024;
const MIB = KIB * KIB;

it.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '0.977 KiB'],
  [226.5 * KIB, '226 KiB'],
  [227.5 * KIB, '228 KiB'],
  [999.75 * KIB, '1e+03 KiB'],
  [1.125 * MIB, '1.12 MiB'],
  [1.375 * MIB, '1.38 MiB'],
  [10.25 * MIB, '10.2 MiB'],
])('prints a state of %i bytes as QEMU does', (vmStateBytes, text) => {
  const entry = { id: '1', name: 'a', vmStateBytes, dateSeconds: 0, vmClockNs: 0, icount: 0 };
  expect(snapshotTable([entry as never])[1]).toContain(` ${text} 19`);
});
