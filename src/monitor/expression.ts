import type { X86Registers } from '../core/debug-target.js';

const GENERAL = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi'];
const SEGMENTS = ['es', 'cs', 'ss', 'ds', 'fs', 'gs'];
const MAX_LENGTH = 200;

function register(name: string, r: X86Registers): number | null {
  const general = GENERAL.indexOf(name);
  if (general >= 0) return r.general[general]!;
  const segment = SEGMENTS.indexOf(name);
  if (segment >= 0) return r.segments[segment]!.selector;
  if (name === 'eip' || name === 'pc') return r.eip + (name === 'pc' ? r.segments[1]!.base : 0);
  if (name === 'eflags') return r.eflags;
  return name === 'esp' || name === 'sp' ? r.general[4]! : null;
}

/**
 * The value of an address as users write it: numbers, `$register`, + - * & | ^ and parentheses.
 * @returns an unsigned number of 32 bits, or a sentence that says what is wrong
 */
export function evaluate(text: string, registers: X86Registers): number | string {
  if (text.length > MAX_LENGTH) return 'the expression is too long';
  const tokens = text.match(/\$?[a-z_][a-z0-9_]*|0x[0-9a-f]+|\d+|\S/gi) ?? [];
  let at = 0;
  const operand = (): bigint => {
    const token = tokens[at++] ?? '';
    if (token === '(') {
      const value = sum();
      if (tokens[at++] !== ')') throw new SyntaxError("')' expected");
      return value;
    }
    if (token === '-') return -operand();
    if (token === '+') return operand();
    if (token === '~') return ~operand();
    if (token.startsWith('$')) {
      const value = register(token.slice(1).toLowerCase(), registers);
      if (value === null) throw new SyntaxError('unknown register');
      return BigInt(value);
    }
    if (!/^(0x[0-9a-f]+|\d+)$/i.test(token)) throw new SyntaxError('invalid char in expression');
    return BigInt(token);
  };
  const product = (): bigint => {
    let value = operand();
    while (tokens[at] === '*' || tokens[at] === '&' || tokens[at] === '|' || tokens[at] === '^') {
      const operator = tokens[at++];
      const right = operand();
      value = operator === '*' ? value * right : operator === '&' ? value & right : operator === '|' ? value | right : value ^ right;
    }
    return value;
  };
  const sum = (): bigint => {
    let value = product();
    while (tokens[at] === '+' || tokens[at] === '-') value = tokens[at++] === '+' ? value + product() : value - product();
    return value;
  };
  try {
    const value = sum();
    return at < tokens.length ? 'invalid char in expression' : Number(BigInt.asUintN(32, value));
  } catch (e) {
    return (e as Error).message;
  }
}
