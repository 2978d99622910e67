import type { Emit } from './emit.js';
import { aluEmitters } from './emit-alu.js';
import { bitEmitters } from './emit-bits.js';
import { controlEmitters } from './emit-control.js';
import { moveEmitters } from './emit-move.js';
import { multiplyEmitters } from './emit-multiply.js';
import { shiftEmitters } from './emit-shift.js';
import { stringEmitters } from './emit-string.js';
import { waitEmitters } from './emit-wait.js';

/** Emitters by name of the table row; a row without one is handed to its `exec`. */
export const emitters: ReadonlyMap<string, Emit> = new Map(
  [moveEmitters, aluEmitters, shiftEmitters, multiplyEmitters, bitEmitters, stringEmitters, controlEmitters, waitEmitters].flatMap(
    (group) => Object.entries(group),
  ),
);
