import type { FunctionExpression, Statement } from 'estree';
import { functionNode } from '../../core/compile.js';
import { js } from '../../core/template.js';
import { decodeInsn } from '../decoder.js';
import type { Insn, Row } from '../insn.js';
import { DS, EIP, SEG_BASE } from '../regs.js';
import type { AccessCheck } from '../translate/access-check.js';
import { LINK, SLOT, TARGET } from './packed-insn.js';
import { ANY_REG, ANY_RM, SHAPE_MODE, ShapeContext, type ShapeEnds } from './shape-context.js';

/** The shapes of five in six of the instructions that Linux's boot executes before they are translated, most frequent first. */
const FREQUENT_EXAMPLES: readonly string[] = [
  '8b00',
  '8900',
  '89c1',
  '50',
  '58',
  '8d00',
  '31c1',
  '85c1',
  '7412',
  'e878563412',
  '01c1',
  'c3',
  '7512',
  'b878563412',
  '0f8478563412',
  '39c1',
  '83c012',
  'c70078563412',
  '83e812',
  '0f8578563412',
  'c1c812',
  '29c1',
  '0fb600',
  'eb12',
  '83f812',
  'a178563412',
  'e978563412',
  '83e012',
  '8800',
  'c1c012',
  '0fb700',
  '84c1',
];
/** Shapes from 1 to this one are frequent. */
export const FREQUENT = FREQUENT_EXAMPLES.length;

/**
 * One instruction of each shape that is worth a place in the threaded interpreter, as bytes: what Linux's boot executes before it is translated, but for one in a hundred.
 * Operands are those of memory ([eax]) or registers; any others have the same shape.
 */
export const SHAPE_EXAMPLES: readonly string[] = [
  ...FREQUENT_EXAMPLES,
  // MOV, MOVZX, MOVSX, LEA, XCHG
  ...['a378563412', '668900', '668b00', '88c1', '8a00', 'c60012', 'b012'],
  ...['0fb6c1', '0fb7c1', '0fbe00', '0fbf00', '0fbec1', '0fbfc1', '8700', '91', '66c7003412', 'a078563412', '66a378563412'],
  // Stack
  ...['6878563412', '6a12', 'ff30', '8f00', 'c9'],
  // ALU: ADD OR ADC SBB AND SUB XOR CMP
  ...['09c1', '11c1', '19c1', '21c1', '0100', '0900', '1100', '2100', '2900', '3900', '6639c1', '663900', '38c1', '3800'],
  ...['0300', '0b00', '1300', '1b00', '2300', '2b00', '3300', '3b00', '3a00', '0a00', '2a00', '00c1', '08c1', '30c1'],
  ...['83c812', '83d012', '83d812', '83f012', '830012', '830812', '831012', '832012', '832812', '833812'],
  ...[
    '81c078563412',
    '81c878563412',
    '81e078563412',
    '81e878563412',
    '81f078563412',
    '81f878563412',
    '810078563412',
    '810878563412',
    '812078563412',
    '813878563412',
  ],
  ...[
    '0578563412',
    '0d78563412',
    '2578563412',
    '2d78563412',
    '3d78563412',
    '3c12',
    '0c12',
    '2412',
    '80c812',
    '80e012',
    '80f812',
    '800812',
    '803812',
    '802012',
  ],
  ...['6683f812', '66833812', '6681f83412', '663d3412', '66253412'],
  ...['6685c1', 'f6c012', 'f60012', 'f7c078563412', 'f70078563412', 'a812', 'a978563412'],
  ...['40', '48', 'ff00', 'ff08', 'f7d0', 'f7d8', '0fc100', '0fb100'],
  // Shifts, products, bits
  ...['c1e012', 'c1e812', 'c1f812', 'd1e0', 'd1e8', 'd1f8', 'd3e0', 'd3e8', 'd3f8', '0fa4c112', '0facc112', '0fa5c1', '0fadc1'],
  ...[
    '0fafc1',
    '0faf00',
    '6bc112',
    '69c178563412',
    'f7e0',
    'f720',
    '0fa3c1',
    '0fba2812',
    '0fba3012',
    '0fba2012',
    '0fbdc1',
    '0fbcc1',
    '99',
    '98',
    '0fc8',
    '90',
    '6690',
  ],
  // Strings
  ...['ae', 'ac', 'aa', 'a4', 'a5', 'ab'],
  // SETcc, CMOVcc
  ...['0f92c0', '0f93c0', '0f94c0', '0f95c0', '0f96c0', '0f97c0', '0f9fc0', '0f9400', '0f9500'],
  ...['0f42c1', '0f43c1', '0f44c1', '0f45c1', '0f46c1', '0f47c1', '0f48c1', '0f49c1', '0f4cc1', '0f4dc1', '0f4ec1', '0f4fc1'],
  // Jumps
  ...['ff10', 'ffd0', 'ff20', 'ffe0'],
  ...['72', '73', '76', '77', '78', '79', '7c', '7d', '7e', '7f'].map((opcode) => `${opcode}12`),
  ...['82', '83', '86', '87', '88', '89', '8c', '8d', '8e', '8f'].map((opcode) => `0f${opcode}78563412`),
];

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.padEnd(32, '0').match(/../g)!, (byte) => Number.parseInt(byte, 16));
}

function example(hex: string): Insn {
  const insn = decodeInsn(bytesOf(hex), 0, SHAPE_MODE);
  if (insn.length !== hex.length / 2) throw new RangeError(`not one instruction: ${hex}`);
  if (insn.row.digit === undefined) insn.reg = ANY_REG;
  if (insn.mod === 3) insn.rm = ANY_RM;
  return insn;
}

/** Shapes of an instruction's row: by size and kind of the r/m operand. */
function variant(i: Insn): number {
  return (i.size === 32 ? 0 : i.size === 16 ? 1 : 2) * 3 + (i.mod < 0 ? 0 : i.mod === 3 ? 1 : 2);
}

const SHIFTS = new Set(['rol', 'ror', 'shl', 'sal', 'shr', 'sar', 'shld', 'shrd']);

/** Its form is one that shapes have: 32-bit addresses, no prefix with a meaning, no count of 0, which leaves the flags. */
function isPlain(i: Insn): boolean {
  if (i.rep !== 0 || i.lock || i.addressSize !== 32) return false;
  if (i.row.test === 'string') return i.segment === SEG_BASE + DS;
  return !SHIFTS.has(i.row.name) || i.row.imm === undefined || (i.imm & 31) !== 0;
}

/** Table rows with the numbers of their shapes, from 1 on. */
const byRow = new Map<Row, number[]>();
const examples: Insn[] = [];

function list(): void {
  if (examples.length > 0) return;
  for (const hex of SHAPE_EXAMPLES) {
    const insn = example(hex);
    const numbers = byRow.get(insn.row) ?? [];
    numbers[variant(insn)] = examples.push(insn);
    byRow.set(insn.row, numbers);
  }
}

/** Number of the shape that an instruction has; 0: none, it is left to its `exec`. */
export function shapeOf(i: Insn): number {
  list();
  const number = byRow.get(i.row)?.[variant(i)];
  return number === undefined || !isPlain(i) ? 0 : number;
}

/** What ends a block without a jump: its length, the end of a page. */
export const END_OF_BLOCK = SHAPE_EXAMPLES.length + 1;
export const SHAPES = END_OF_BLOCK + 1;

/** The instruction that stands for a shape; undefined: it is END_OF_BLOCK. */
function exampleOf(shape: number): Insn | undefined {
  list();
  return examples[shape - 1];
}

const functions = new Map<AccessCheck, FunctionExpression[]>();

/** The function of a shape, to be called with the place of a packed instruction. See RETURNS for what it returns. */
export function shapeFunction(shape: number, check: AccessCheck): FunctionExpression {
  let made = functions.get(check);
  if (made === undefined) {
    made = [];
    functions.set(check, made);
  }
  made[shape] ??= makeFunction(shape, check);
  return made[shape];
}

function makeFunction(shape: number, check: AccessCheck): FunctionExpression {
  const insn = exampleOf(shape);
  const name = insn === undefined ? 'end_of_block' : `shape_${insn.row.name.replaceAll(' ', '_')}_${insn.opcode.toString(16)}`;
  return functionNode(name, [js.stat`const w = code[p];`, ...shapeBody(shape, RETURNS, check)], ['p']);
}

/** What the function of a shape returns: where the next instruction is; 0: this one is left to its `exec`; behind a jump, with EIP set, the place of the link to follow, negative. */
const RETURNS: ShapeEnds = {
  next: js.list`return p + ${SLOT};`,
  toExec: js.list`return 0;`,
  follow: (link) => js.list`return -(${link});`,
};

/** What a shape does with the packed instruction at `code[p]`, whose first word is in `w`. */
export function shapeBody(shape: number, ends: ShapeEnds, check: AccessCheck): Statement[] {
  const insn = exampleOf(shape);
  if (insn === undefined) return [js.stat`r[${EIP}] = code[p + ${TARGET}];`, ...ends.follow(js.expr`p + ${LINK}`)];
  const body = new ShapeContext(ends, check).emitShape(insn);
  if (body === null) throw new RangeError(`no shape: ${insn.row.name}`);
  return body;
}
