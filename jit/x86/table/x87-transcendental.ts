import type { Row } from '../insn.js';

/** Exponentials, logarithms and trigonometry. */
export const x87TranscendentalRows: readonly Row[] = [];
