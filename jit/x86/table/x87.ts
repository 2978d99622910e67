import type { Row } from '../insn.js';
import { fxsaveRows } from './fxsave.js';
import { x87ArithRows } from './x87-arith.js';
import { x87CompareRows } from './x87-compare.js';
import { x87ControlRows } from './x87-control.js';
import { x87MoveRows } from './x87-move.js';
import { x87TranscendentalRows } from './x87-transcendental.js';

/**
 * The x87 instructions (SDM Vol. 2, escape opcodes D8..DF), FWAIT, FXSAVE and FXRSTOR, with the aliases the manual leaves out
 * (DC D0, DE D0, DF C8 ...). Availability by CR0.EM and TS is the decoder's business for D8..DF.
 */
export const x87Rows: readonly Row[] = [
  ...x87MoveRows,
  ...x87ArithRows,
  ...x87CompareRows,
  ...x87TranscendentalRows,
  ...x87ControlRows,
  ...fxsaveRows,
];
