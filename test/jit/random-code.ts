import type { Row } from '../../jit/x86/insn.js';

/** Deterministic random numbers (mulberry32); the seed is part of every failure message. */
export class Random {
  private state: number;
  constructor(seed: number) {
    this.state = seed | 0;
  }
  /** int32. */
  word(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) | 0;
  }
  below(n: number): number {
    return (this.word() >>> 0) % n;
  }
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}

const MAP_BYTES = { '1': [], '0f': [0x0f], '0f38': [0x0f, 0x38], '0f3a': [0x0f, 0x3a] };
const INTERESTING = [0, 1, -1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, -0x80000000, 0x1f, 0x20, 0x21];

/** A number as programs have them: often an edge case. */
export function operand(random: Random): number {
  return random.chance(40) ? random.pick(INTERESTING) : random.word();
}

function little(value: number, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, k) => (value >> (8 * k)) & 0xff);
}

function modrm(random: Random, row: Row, code32: boolean, addressPrefix: boolean): number[] {
  const reg = row.digit ?? random.below(8);
  if (row.form === 'reg' || row.rm !== undefined || (row.form === undefined && random.chance(50)))
    return [0xc0 | (reg << 3) | (row.rm ?? random.below(8))];
  const mod = random.below(3);
  const rm = random.below(8);
  const bytes = [(mod << 6) | (reg << 3) | rm];
  if (code32 !== addressPrefix) {
    const sib = rm === 4 ? random.below(256) : 0;
    if (rm === 4) bytes.push(sib);
    if (mod === 1) bytes.push(random.below(256));
    if (mod === 2 || (mod === 0 && (rm === 5 || (rm === 4 && (sib & 7) === 5)))) bytes.push(...little(random.below(0x100000), 4));
  } else {
    if (mod === 1) bytes.push(random.below(256));
    if (mod === 2 || (mod === 0 && rm === 6)) bytes.push(...little(random.word(), 2));
  }
  return bytes;
}

/** Bytes of a random legal instance of a table row, in 32- or 16-bit code. */
export function randomInsn(random: Random, row: Row, code32: boolean): number[] {
  const bytes: number[] = [];
  const opsizePrefix = row.prefix === '66' || (row.prefix === undefined && random.chance(25));
  const addressPrefix = random.chance(8);
  if (opsizePrefix) bytes.push(0x66);
  if (addressPrefix) bytes.push(0x67);
  if (random.chance(10)) bytes.push(random.pick([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65]));
  if (row.prefix === 'f2' || row.prefix === 'f3') bytes.push(row.prefix === 'f2' ? 0xf2 : 0xf3);
  if (row.test === 'string' && random.chance(20)) bytes.push(random.pick([0xf2, 0xf3]));
  bytes.push(...MAP_BYTES[row.map], row.opcode + random.below(row.count ?? 1));
  if (row.modrm) bytes.push(...modrm(random, row, code32, addressPrefix));
  const wide = code32 !== opsizePrefix ? 4 : 2;
  const sizes = { none: 0, b: 1, sb: 1, w: 2, v: wide, wb: 3, far: wide + 2, a: code32 !== addressPrefix ? 4 : 2 };
  const count = sizes[row.imm ?? 'none'];
  if (row.imm === 'a') bytes.push(...little(random.below(0x100000), count));
  else if (row.imm === 'wb') bytes.push(...little(random.below(64), 2), random.below(4));
  else if (count > 4) bytes.push(...little(operand(random), 4), ...little(operand(random), count - 4));
  else bytes.push(...little(operand(random), count));
  return bytes;
}
