import type { Row } from '../insn.js';
import { aluTable } from './int-alu.js';
import { bitTable } from './int-bit.js';
import { controlTable } from './int-control.js';
import { miscTable } from './int-misc.js';
import { movTable } from './int-mov.js';
import { mulTable } from './int-mul.js';
import { shiftTable } from './int-shift.js';
import { stackTable } from './int-stack.js';
import { ioRows } from './io.js';
import { mmxRows } from './mmx.js';
import { sseRows } from './sse.js';
import { stringRows } from './string.js';
import { systemRows } from './system.js';
import { x87Rows } from './x87.js';

/** Integer instructions that need no system state. */
export const intRows: readonly Row[] = [
  ...aluTable,
  ...movTable,
  ...shiftTable,
  ...bitTable,
  ...mulTable,
  ...stackTable,
  ...controlTable,
  ...miscTable,
];

/** The whole instruction table. A function, because its parts may be modules still being evaluated when this one is. */
export function allRows(): readonly Row[] {
  return [...intRows, ...stringRows, ...ioRows, ...systemRows, ...x87Rows, ...mmxRows, ...sseRows];
}
