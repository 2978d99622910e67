import type { Insn } from '../insn.js';
import type { TbContext } from './tb-context.js';

/** Emits one instruction, or calls `cx.refuse()`, having emitted nothing, when this form is left to `exec`. */
export type Emit = (cx: TbContext, i: Insn) => void;
