import type { Statement } from 'estree';
import { js } from '../../core/template.js';
import type { Insn } from '../insn.js';

/** Constants at the head of a script: the instructions its functions hand to `exec` (bound as the array `insns`), and their executors. */
export function scriptConstants(insns: readonly Insn[]): Statement[] {
  return insns.flatMap((_, k) => js.list`const ${`insn${k}`} = insns[${k}]; const ${`exec${k}`} = ${`insn${k}`}.exec;`);
}
