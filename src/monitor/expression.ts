import type { X86Registers } from '../core/debug-target.js';

const GENERAL = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi'];
const SEGMENTS = ['es', 'cs', 'ss', 'ds', 'fs', 'gs'];
const ALIASES: Readonly<Record<string, string>> = { sp: 'esp', fp: 'ebp' };
const MAX_DEPTH = 100;
const BINARY = [
  ['+', '-'],
  ['&', '|', '^'],
  ['*', '/', '%'],
] as const;

/** What is wrong with an expression, in QEMU's words. */
export class ExpressionError extends Error {}

/** A register by QEMU's name for it, as a number of 32 bits with a sign; null: there is none of that name. */
function register(name: string, r: X86Registers): number | null {
  const general = GENERAL.indexOf(ALIASES[name] ?? name);
  if (general >= 0) return r.general[general]!;
  const [segment, part] = name.split('.', 2) as [string, string | undefined];
  const descriptor = r.segments[SEGMENTS.indexOf(segment)];
  if (descriptor !== undefined && name.split('.').length <= 2) {
    if (part === undefined) return descriptor.selector;
    return part === 'base' ? descriptor.base : part === 'limit' ? descriptor.limit : null;
  }
  if (name === 'eip') return r.eip;
  if (name === 'pc') return r.eip + r.segments[1]!.base;
  return name === 'eflags' ? r.eflags : null;
}

/**
 * Reads an expression as QEMU's monitor does: numbers of C, 'c', $register, + - ~ and parentheses; * / %, then & | ^, then + -, in 64 bits with a sign.
 * Registers are of 32 bits with a sign.
 */
class Reader {
  at: number;
  private readonly text: string;
  private readonly registers: X86Registers;
  private depth = 0;

  constructor(text: string, at: number, registers: X86Registers) {
    this.text = text;
    this.at = at;
    this.registers = registers;
  }

  skipBlanks(): void {
    while (/\s/.test(this.text[this.at] ?? '')) this.at++;
  }

  binary(level = 0): bigint {
    const operators = BINARY[level];
    if (operators === undefined) return this.unary();
    let value = this.binary(level + 1);
    for (;;) {
      const operator = operators.find((o) => o === this.text[this.at]);
      if (operator === undefined) return value;
      this.next();
      value = BigInt.asIntN(64, apply(operator, value, this.binary(level + 1)));
    }
  }

  private next(): void {
    if (this.at < this.text.length) this.at++;
    this.skipBlanks();
  }

  private unary(): bigint {
    if (++this.depth > MAX_DEPTH) throw new ExpressionError('the expression is nested too deeply');
    try {
      return BigInt.asIntN(64, this.operand());
    } finally {
      this.depth--;
    }
  }

  private operand(): bigint {
    const c = this.text[this.at];
    switch (c) {
      case undefined:
        throw new ExpressionError('unexpected end of expression');
      case '+':
        this.next();
        return this.unary();
      case '-':
        this.next();
        return -this.unary();
      case '~':
        this.next();
        return ~this.unary();
      case '(': {
        this.next();
        const value = this.binary();
        if (this.text[this.at] !== ')') throw new ExpressionError("')' expected");
        this.next();
        return value;
      }
      case "'":
        return this.character();
      case '$':
        return this.register();
      default:
        return this.number();
    }
  }

  private character(): bigint {
    const c = this.text[this.at + 1];
    if (c === undefined) throw new ExpressionError('character constant expected');
    if (this.text[this.at + 2] !== "'") throw new ExpressionError("missing terminating ' character");
    this.at += 2;
    this.next();
    return BigInt(c.charCodeAt(0));
  }

  private register(): bigint {
    const name = this.take(/[a-zA-Z0-9_.]*/y, 1);
    const value = register(name, this.registers);
    if (value === null) throw new ExpressionError('unknown register');
    return BigInt(value | 0);
  }

  private number(): bigint {
    const digits = this.take(/0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*/y, 0);
    if (digits === '') throw new ExpressionError(`invalid char '${this.text[this.at]}' in expression`);
    const value = BigInt(/^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits);
    if (value >= 1n << 64n) throw new ExpressionError('number too large');
    return value;
  }

  /** What the pattern matches, `skip` characters further on; and the blanks behind it. */
  private take(pattern: RegExp, skip: number): string {
    pattern.lastIndex = this.at + skip;
    const found = pattern.exec(this.text)?.[0] ?? '';
    if (found !== '' || skip > 0) {
      this.at += skip + found.length;
      this.skipBlanks();
    }
    return found;
  }
}

function apply(operator: (typeof BINARY)[number][number], a: bigint, b: bigint): bigint {
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '&':
      return a & b;
    case '|':
      return a | b;
    case '^':
      return a ^ b;
    case '*':
      return a * b;
    default:
      if (b === 0n) throw new ExpressionError('division by zero');
      return operator === '/' ? a / b : a % b;
  }
}

/** Evaluates the expression that begins at a place of a line. Gives its value and where it ends. Throws ExpressionError. */
export function evaluate(text: string, at: number, registers: X86Registers): { readonly value: bigint; readonly end: number } {
  const reader = new Reader(text, at, registers);
  reader.skipBlanks();
  const value = reader.binary();
  return { value, end: reader.at };
}
