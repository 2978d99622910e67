import type { X86Registers } from '../core/debug-target.js';
import { ExpressionError, evaluate } from './expression.js';
import type { DumpFormat } from './memory-text.js';

/** A command's arguments are wrong; what the user sees is followed by a hint to `help`. */
export class ArgumentError extends Error {}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', '\\': '\\', "'": "'", '"': '"' };
const SIZES: Readonly<Record<string, DumpFormat['size']>> = { b: 1, h: 2, w: 4, g: 8, L: 8 };
const MAX_COUNT = 65536;

/** The arguments of one command of the human monitor, taken one after the other, with QEMU's words for what is wrong (ArgumentError). */
export class CommandLine {
  private readonly name: string;
  private readonly text: string;
  private at = 0;

  /** @param name of the command, with its aliases, for messages */
  constructor(name: string, text: string) {
    this.name = name;
    this.text = text;
  }

  private skipBlanks(): void {
    while (/\s/.test(this.text[this.at] ?? '')) this.at++;
  }

  /** Whether there is nothing more. */
  get ended(): boolean {
    this.skipBlanks();
    return this.at >= this.text.length;
  }

  /** Refuses what nobody has taken. */
  end(): void {
    if (!this.ended) throw new ArgumentError(`${this.name}: extraneous characters at the end of line`);
  }

  /** A word, or text in quotes. */
  string(what: 'string' | 'filename' = 'string'): string {
    const taken = this.ended ? null : this.text[this.at] === '"' ? this.quoted() : this.word();
    if (taken === null) throw new ArgumentError(`${this.name}: ${what} expected`);
    return taken;
  }

  optionalString(): string | null {
    return this.ended ? null : this.string();
  }

  /** Everything that is left. */
  rest(): string {
    this.skipBlanks();
    const rest = this.text.slice(this.at);
    this.at = this.text.length;
    return rest;
  }

  private word(): string {
    const word = /\S*/.exec(this.text.slice(this.at))![0];
    this.at += word.length;
    return word;
  }

  private quoted(): string | null {
    let text = '';
    for (let k = this.at + 1; k < this.text.length; k++) {
      const c = this.text[k]!;
      if (c === '"') {
        this.at = k + 1;
        return text;
      }
      const escaped = c === '\\' ? ESCAPES[this.text[++k] ?? ''] : c;
      if (escaped === undefined) return null;
      text += escaped;
    }
    return null;
  }

  /** What a sticky pattern matches here, if it does. */
  matching(pattern: RegExp): string | null {
    this.skipBlanks();
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0] ?? null;
    this.at += found?.length ?? 0;
    return found;
  }

  /** `-x`, if it comes next; another letter is refused unless it is one of `others`. */
  flag(letter: string, others = ''): boolean {
    this.skipBlanks();
    if (this.text[this.at] !== '-') return false;
    const given = this.text[this.at + 1] ?? '';
    if (given !== letter) {
      if (given !== '' && others.includes(given)) return false;
      throw new ArgumentError(`${this.name}: unsupported option -${given}`);
    }
    this.at += 2;
    return true;
  }

  /** `-x VALUE`, if it comes next. */
  flagValue(letter: string): string | null {
    if (!this.flag(letter)) return null;
    if (this.ended) throw new ArgumentError(`${this.name}: value expected for -${letter}`);
    return this.string();
  }

  /** An expression: 64 bits with a sign. */
  expression(registers: X86Registers): bigint {
    try {
      const { value, end } = evaluate(this.text, this.at, registers);
      this.at = end;
      return value;
    } catch (e) {
      throw e instanceof ExpressionError ? new ArgumentError(e.message) : e;
    }
  }

  /** An expression whose upper 32 bits are 0. */
  integer(registers: X86Registers): number {
    const value = this.expression(registers);
    if (BigInt.asUintN(64, value) >> 32n !== 0n)
      throw new ArgumentError(`'${this.name.split('|')[0]}' has failed: integer is for 32-bit values`);
    return Number(value);
  }

  /** `/10xw`: what is left out is as in the format before, which is brought up to date. */
  format(before: { format: DumpFormat['format']; size: DumpFormat['size'] }): DumpFormat {
    this.skipBlanks();
    if (this.text[this.at] !== '/') return { count: 1, ...before };
    const [all, digits, letters] = /^\/(\d*)([oduxicbhwgL]*)/.exec(this.text.slice(this.at)) as unknown as [string, string, string];
    const wrong = this.text[this.at + all.length];
    if (wrong !== undefined && !/\s/.test(wrong)) throw new ArgumentError(`invalid char in format: '${wrong}'`);
    this.at += all.length;
    const count = digits === '' ? 1 : Number(digits);
    if (count > MAX_COUNT) throw new ArgumentError(`at most ${MAX_COUNT} items at a time`);
    for (const letter of letters) if (!(letter in SIZES)) before.format = letter as DumpFormat['format'];
    const size = [...letters].findLast((letter) => letter in SIZES);
    if (size !== undefined && before.format !== 'i') before.size = SIZES[size]!;
    return { count, ...before };
  }
}
