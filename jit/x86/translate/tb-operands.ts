import type { Expression, IfStatement, Statement, VariableDeclaration } from 'estree';
import { breakTo, constantOf, integer } from '../../core/estree.js';
import { js } from '../../core/template.js';
import type { Insn } from '../insn.js';
import { MODE_CPL, MODE_CS32, MODE_FLAT, MODE_SS32 } from '../mode.js';
import { CS, ESP, FLAGS_ARITH, FS, SEG_BASE, SS, ZERO } from '../regs.js';
import type { AccessKind } from './access-check.js';
import { type FunctionContext, packIp } from './function-context.js';
import type { KnownAddresses, Tlb } from './same-page.js';

/** What one instruction did with the flags, found by emitting it once: drives the removal of dead flag updates. */
export interface FlagUse {
  /** Flags it looks at, or that somebody may look at while it executes (FLAG_* mask). */
  reads: number;
  /** Flags it certainly replaces. */
  writes: number;
}

/** A place that is read and then written: a register or a memory operand whose translation was already found. */
export interface Location {
  readonly value: Expression;
  write(value: Expression): void;
}

/** The operand side of emitting one TB: statements so far, the current instruction, registers as locals, memory, the stack. */
export class TbOperands {
  readonly fn: FunctionContext;
  /** Its number in the region. */
  readonly number: number;
  /** MODE_* bits of the TB. */
  readonly mode: number;
  /** EIP of the TB's first instruction, int32. */
  readonly startEip: number;
  out: Statement[] = [];
  insn!: Insn;
  /** Of the current instruction. */
  index = 0;
  offset = 0;
  /** What later code may still want of the current instruction's flags. */
  flagsLive = FLAGS_ARITH;
  flagUse: FlagUse = { reads: 0, writes: 0 };
  /** The emitter leaves the current instruction to `exec`. */
  refused = false;
  /** Null: each access is looked up by itself. */
  protected readonly addresses: KnownAddresses | null;
  /** Statements being emitted that are not always executed. */
  private conditional = 0;

  constructor(
    fn: FunctionContext,
    source: { readonly mode: number; readonly eip: number },
    number: number,
    addresses: KnownAddresses | null,
  ) {
    this.fn = fn;
    this.number = number;
    this.mode = source.mode;
    this.startEip = source.eip;
    this.addresses = addresses;
  }

  /** Names of the TLBs for the current privilege level. */
  protected get tlbs(): { readonly read: string; readonly write: string } {
    const user = (this.mode & MODE_CPL) === MODE_CPL;
    return user ? { read: 'userRead', write: 'userWrite' } : { read: 'supervisorRead', write: 'supervisorWrite' };
  }

  /** Begins the next instruction. */
  begin(insn: Insn, index: number, offset: number, flagsLive: number): void {
    this.insn = insn;
    this.index = index;
    this.offset = offset;
    this.flagsLive = flagsLive;
    this.flagUse = { reads: 0, writes: 0 };
    this.refused = false;
  }

  /** For emitters: this form of the instruction is left to `exec`. */
  refuse(): void {
    this.refused = true;
  }

  get eip(): number {
    return (this.startEip + this.offset) | 0;
  }

  get nextEip(): number {
    return (this.startEip + this.offset + this.insn.length) | 0;
  }

  /** EIP where a TB ends behind the current instruction without a jump: QEMU cuts it to the code segment's size there. */
  get behind(): number {
    return (this.mode & MODE_CS32) !== 0 ? this.nextEip : this.nextEip & 0xffff;
  }

  /** Instructions of the TB up to and with the current one. */
  get count(): number {
    return this.index + 1;
  }

  /** The immediate, as far as `mask` has bits. */
  immediate(mask = -1): Expression {
    return integer(this.insn.imm & mask);
  }

  /** The address behind the instruction, for calls to push. */
  returnAddress(): Expression {
    return integer(this.nextEip);
  }

  emit(...statements: Statement[]): void {
    this.out.push(...statements);
  }

  /** Runs `inner`, which accesses no memory that was not looked up before, with statements going to a list of their own. */
  nested(inner: () => void): Statement[] {
    const outer = this.out;
    const list: Statement[] = [];
    this.out = list;
    this.conditional++;
    inner();
    this.conditional--;
    this.out = outer;
    return list;
  }

  /** A constant that holds the expression's value from here on; integers stay what they are. */
  temp(value: Expression): Expression {
    if (constantOf(value) !== null || this.isTemp(value)) return value;
    const name = this.fn.temp('t');
    this.emit(js.stat`const ${name} = ${value};`);
    this.addresses?.assign(name, value);
    return js.expr`${name}`;
  }

  private isTemp(e: Expression): boolean {
    return e.type === 'Identifier' && /^t\d+$/.test(e.name);
  }

  // Registers

  /** The 32-bit register itself (Cpu.r index below 8, or a segment base): its value changes with the next write. */
  reg(index: number): Expression {
    return this.fn.use(index);
  }

  setReg(index: number, value: Expression): void {
    const register = this.fn.assign(index);
    this.emit(js.stat`${register} = ${value};`);
    if (register.type === 'Identifier') this.addresses?.assign(register.name, this.conditional === 0 ? value : null);
  }

  /** Register operand by number as instructions encode it: zero-extended at 8 and 16 bits, int32 at 32. Not held. */
  readReg(n: number, sizeBits: number): Expression {
    if (sizeBits === 32) return this.reg(n);
    if (sizeBits === 16) return js.expr`${this.reg(n)} & 0xffff`;
    return n < 4 ? js.expr`${this.reg(n)} & 255` : js.expr`${this.reg(n & 3)} >>> 8 & 255`;
  }

  /** Writes a register operand; bits of `value` above the size are ignored. */
  writeReg(n: number, sizeBits: number, value: Expression): void {
    if (sizeBits === 32) this.setReg(n, value);
    else if (sizeBits === 16) this.setReg(n, js.expr`${this.reg(n)} & -0x10000 | ${this.cut(value, 16)}`);
    else if (n < 4) this.setReg(n, js.expr`${this.reg(n)} & -256 | ${this.cut(value, 8)}`);
    else this.setReg(n & 3, js.expr`${this.reg(n & 3)} & -65281 | (${this.cut(value, 8)}) << 8`);
  }

  /** A register to be stored or pushed: for bytes the byte, else the whole register (the store cuts it). */
  storable(n: number, sizeBits: number): Expression {
    return sizeBits === 8 ? this.readReg(n, 8) : this.reg(n);
  }

  /** Zero-extends the low bits of a value (int32 at 32). */
  cut(value: Expression, sizeBits: number): Expression {
    const mask = sizeBits === 8 ? 0xff : 0xffff;
    const constant = constantOf(value);
    if (constant !== null) return js.expr`${sizeBits === 32 ? constant | 0 : constant & mask}`;
    if (sizeBits === 32 || isCut(value, mask)) return value;
    return js.expr`${value} & ${mask}`;
  }

  /** Sign-extends the low bits of a value. */
  signed(value: Expression, sizeBits: number): Expression {
    if (sizeBits === 32) return value;
    return js.expr`${value} << ${32 - sizeBits} >> ${32 - sizeBits}`;
  }

  // Memory

  /** Offset of the memory operand inside its segment. */
  offsetExpression(): Expression {
    const i = this.insn;
    let sum: Expression | null = i.base === ZERO ? null : this.reg(i.base);
    if (i.index !== ZERO) {
      const scaled = i.scale === 0 ? this.reg(i.index) : js.expr`(${this.reg(i.index)} << ${i.scale})`;
      sum = sum === null ? scaled : js.expr`${sum} + ${scaled}`;
    }
    if (sum === null) return js.expr`${i.mask === -1 ? i.disp | 0 : i.disp & i.mask}`;
    if (i.disp !== 0) sum = js.expr`${sum} + ${i.disp | 0}`;
    if (i.mask !== -1) return js.expr`${sum} & ${i.mask}`;
    return sum.type === 'Identifier' ? sum : js.expr`${sum} | 0`;
  }

  /** Linear address of the memory operand, held. */
  address(): Expression {
    return this.linear(this.insn.segment - SEG_BASE, this.offsetExpression());
  }

  /** Linear address of an offset in segment ES..GS, held. */
  linear(segment: number, offset: Expression): Expression {
    if ((this.mode & MODE_FLAT) !== 0 && segment !== CS && segment < FS) return this.temp(offset);
    return this.temp(js.expr`${offset} + ${this.reg(SEG_BASE + segment)} | 0`);
  }

  /**
   * Backing address of an access, held. It is looked up in the TLB, or lies near enough to one that was. When it has no fast entry (a miss, a device, code in the page, a watchpoint) or
   * crosses its page, or one of those that are to lie near it would, the function is left, and the interpreter does this instruction. No call, no throw: V8 deoptimises where either was
   * never executed before.
   */
  private lookUp(laddr: Expression, sizeBits: number, kind: AccessKind): Expression {
    this.flagUse.reads |= FLAGS_ARITH;
    const tlb: Tlb = kind === 'read' ? 'read' : 'write';
    const bytes = sizeBits >> 3;
    const near = this.addresses?.join(laddr, tlb, bytes, this.number) ?? null;
    if (near !== null) return near.delta === 0 ? js.expr`${near.backing}` : js.expr`${near.backing} + ${near.delta} >>> 0`;
    const d = this.fn.temp('d');
    const backing = this.fn.temp('p');
    const { check } = this.fn;
    const refused = check.refused(d, laddr, sizeBits, kind);
    const entry = js.stat`const ${d} = ${this.tlbs[tlb]}[${laddr} >>> 12];` as VariableDeclaration;
    const leave = js.stat`if (${refused}) { ${this.bailOut()}; }` as IfStatement;
    const reach = (low: number, high: number) => {
      leave.test = js.expr`${refused} || ${isCrossed(laddr, low, high)}`;
    };
    if (bytes > 1) reach(0, bytes);
    this.emit(entry, leave, js.stat`const ${backing} = ${check.at(d, laddr)};`);
    const forWriting = () => {
      entry.declarations[0]!.init = js.expr`${this.tlbs.write}[${laddr} >>> 12]`;
    };
    this.addresses?.begin(laddr, tlb, bytes, { tb: this.number, backing, reach, forWriting });
    return js.expr`${backing}`;
  }

  /** Leaves the current instruction to the interpreter. */
  protected bailOut(): Statement[] {
    return [js.stat`stopped = ${packIp(this.number, this.index)};`, breakTo('tb')];
  }

  /** Loads from a held linear address: unsigned at 8 and 16 bits, int32 at 32. Held. */
  load(laddr: Expression, sizeBits: number): Expression {
    return this.temp(this.read(this.lookUp(laddr, sizeBits, 'read'), sizeBits));
  }

  private read(at: Expression, sizeBits: number): Expression {
    if (sizeBits === 8) return js.expr`dv.getUint8(${at})`;
    return sizeBits === 16 ? js.expr`dv.getUint16(${at}, true)` : js.expr`dv.getInt32(${at}, true)`;
  }

  private write(at: Expression, value: Expression, sizeBits: number): Statement {
    if (sizeBits === 8) return js.stat`dv.setInt8(${at}, ${value});`;
    return sizeBits === 16 ? js.stat`dv.setInt16(${at}, ${value}, true);` : js.stat`dv.setInt32(${at}, ${value}, true);`;
  }

  /** Stores the low bits of `value` at a held linear address. */
  store(laddr: Expression, value: Expression, sizeBits: number): void {
    const v = this.temp(value);
    this.emit(this.write(this.lookUp(laddr, sizeBits, 'write'), v, sizeBits));
  }

  /** A memory operand to be read and written back: one look into the TLB for both. */
  memoryLocation(sizeBits: number): Location {
    const at = this.temp(this.lookUp(this.address(), sizeBits, 'modify'));
    return { value: this.temp(this.read(at, sizeBits)), write: (value) => this.emit(this.write(at, value, sizeBits)) };
  }

  /** r/m operand of the given size, held. */
  readRm(sizeBits: number): Expression {
    const i = this.insn;
    return i.mod === 3 ? this.temp(this.readReg(i.rm, sizeBits)) : this.load(this.address(), sizeBits);
  }

  /** r/m operand to be read and written. */
  rmLocation(sizeBits: number): Location {
    const i = this.insn;
    if (i.mod !== 3) return this.memoryLocation(sizeBits);
    return { value: this.temp(this.readReg(i.rm, sizeBits)), write: (value) => this.writeReg(i.rm, sizeBits, value) };
  }

  /** Stores to the r/m operand without reading it. */
  writeRm(sizeBits: number, value: Expression): void {
    const i = this.insn;
    if (i.mod === 3) this.writeReg(i.rm, sizeBits, value);
    else this.store(this.address(), value, sizeBits);
  }

  // Stack

  /** Width of the stack pointer in bits. */
  get stackBits(): number {
    return (this.mode & MODE_SS32) !== 0 ? 32 : 16;
  }

  /** The stack pointer moved by a constant, in its width. */
  stackPointer(delta: number): Expression {
    const sum = delta === 0 ? this.reg(ESP) : js.expr`${this.reg(ESP)} + ${delta} | 0`;
    return this.stackBits === 32 ? sum : js.expr`${sum} & 0xffff`;
  }

  /** Pushes a held value; the stack pointer changes after the store. */
  push(value: Expression, sizeBits: number): void {
    const sp = this.temp(this.stackPointer(-(sizeBits >> 3)));
    this.store(this.linear(SS, sp), value, sizeBits);
    this.writeReg(ESP, this.stackBits, sp);
  }

  /** Loads the top of the stack without moving the pointer; held. */
  top(sizeBits: number): Expression {
    return this.load(this.linear(SS, this.stackPointer(0)), sizeBits);
  }

  /** Moves the stack pointer. */
  moveStack(delta: number): void {
    this.writeReg(ESP, this.stackBits, this.stackPointer(delta));
  }
}

/** Whether bytes from `low` to behind `high`, counted from an address, lie in another page than the address. */
function isCrossed(laddr: Expression, low: number, high: number): Expression {
  const last = 0x1000 - high;
  if (low === 0) return js.expr`(${laddr} & 0xfff) > ${last}`;
  return js.expr`(${laddr} & 0xfff) + ${low} >>> 0 > ${last + low}`;
}

/** Already cut to `mask`. */
function isCut(value: Expression, mask: number): boolean {
  if (value.type !== 'BinaryExpression' || value.operator !== '&') return false;
  const known = constantOf(value.right);
  return known !== null && known >= 0 && known <= mask;
}
