import type { FunctionExpression, Statement, SwitchCase, SwitchStatement } from 'estree';
import { functionNode } from '../../core/compile.js';
import { block, breakTo, continueTo, integer, labelled, loopForever } from '../../core/estree.js';
import { js } from '../../core/template.js';
import { CS, EIP, LEFT, SEG_BASE } from '../regs.js';
import type { AccessCheck } from '../translate/access-check.js';
import { AT, BACKING, BLOCK, COUNT, EIP_WORD, ERA, GRANT, HEADER, LADDR, SHAPE_MASK, SLOT } from './packed-insn.js';
import type { ShapeEnds } from './shape-context.js';
import { FREQUENT, shapeBody } from './shapes.js';

const INSNS = 'insns';
const SHAPE = 'shape';

/** In the switch: `next` is what a function of a shape would have returned. */
const IN_SWITCH: ShapeEnds = {
  next: [...js.list`p = p + ${SLOT};`, continueTo(INSNS)],
  toExec: [breakTo(SHAPE)],
  follow: (link) => [js.stat`next = -(${link});`, breakTo(SHAPE)],
};

/** `switch` over the shape in `w`: frequent ones are done on the spot, the function of any other is called. */
function executeShape(check: AccessCheck): Statement {
  const cases = Array.from({ length: FREQUENT }, (_, k): SwitchCase => {
    const shape = k + 1;
    return { type: 'SwitchCase', test: integer(shape), consequent: [block(shapeBody(shape, IN_SWITCH, check))] };
  });
  const others = js.stat`next = operations[w & ${SHAPE_MASK}](p) | 0;`;
  const choice: SwitchStatement = {
    type: 'SwitchStatement',
    discriminant: js.expr`w & ${SHAPE_MASK}`,
    cases: [...cases, { type: 'SwitchCase', test: null, consequent: [others] }],
  };
  return labelled(SHAPE, [choice]);
}

/** Behind a jump: goes on with the block that the link leads to, when that is the one at EIP, and may be entered. */
function followLink(): Statement[] {
  const enter = js.list`
    code[n + ${GRANT}] = code[n + ${GRANT}] - 1;
    left = left - count | 0;
    h = n;
    p = n + ${HEADER};`;
  return js.list`
    const n = code[-next];
    const count = code[n + ${COUNT}];
    const laddr = code[n + ${LADDR}];
    const eip = r[${EIP}];
    const there = code[n + ${EIP_WORD}] === eip && laddr === (eip + base | 0) && (tlbExecute[laddr >>> 12] + laddr | 0) === code[n + ${BACKING}];
    if (!there || count === 0 || count > left || code[n + ${GRANT}] <= 0 || code[n + ${ERA}] !== era || cpu.interruptRequest !== 0) {
      r[${LEFT}] = left;
      threaded.open = -next;
      return blocks[code[h + ${BLOCK}]];
    }
    ${[...enter, continueTo(INSNS)]};`;
}

/** The instruction at `p` by its `exec`. */
function callExec(): Statement[] {
  return js.list`
    const k = p - h - ${HEADER} >> 2;
    const insn = blocks[code[h + ${BLOCK}]].insns[k];
    const behind = code[h + ${COUNT}] - k - 1;
    const at = code[p + ${AT}];
    cpu.insnEip = at;
    r[${EIP}] = at + insn.length;
    r[${LEFT}] = left + behind;
    insn.exec(cpu, insn);
    if (behind === 0 || cpu.breakBlock) return null;
    p = p + ${SLOT};`;
}

/**
 * The function that executes a block and, along links what comes behind it: see ThreadedInterpreter.run. In one function with the frequent shapes, since a call for each instruction took a quarter
 * of the interpreter's time. Not with all shapes: V8 takes seconds for that, and drops all of it when one of them meets something new.
 */
export function runFunction(check: AccessCheck): FunctionExpression {
  const turn = [
    ...js.list`
      const w = code[p];
      let next = 0;`,
    executeShape(check),
    js.stat`if (next > 0) { p = next; ${continueTo(INSNS)}; }`,
    js.stat`if (next < 0) { ${followLink()}; }`,
    ...callExec(),
  ];
  const body = [
    ...js.list`
      const { era } = threaded;
      const base = r[${SEG_BASE + CS}];
      let h = block.threaded;
      threaded.grant(h, block.due - block.hits - 1);
      let p = h + ${HEADER};
      let left = r[${LEFT}] - code[h + ${COUNT}] | 0;`,
    loopForever(INSNS, turn),
  ];
  return functionNode('run_packed', body, ['block']);
}
