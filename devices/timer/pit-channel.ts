import type { Clock } from '../../src/core/clock.js';
import type { StatefulPart, StateSchema } from '../../src/core/state.js';
import { mulDiv, NS_PER_SECOND } from '../../src/core/units.js';

/** Input clock of the PC's 8254. */
export const PIT_HZ = 1193182;

/** Access modes of the control word, and the half of a two-byte access that comes next. */
const MSB = 2;
const WORD_LOW = 3;
const WORD_HIGH = 4;

/** One counter of the 8254: its count as a function of virtual time, its latches and its byte sequencing. */
export class PitChannel implements StatefulPart {
  readonly schema: StateSchema = {
    name: 'i8254-channel',
    version: 1,
    fields: {
      count: 'u32',
      latchedCount: 'u16',
      countLatched: 'u8',
      statusLatched: 'bool',
      status: 'u8',
      readState: 'u8',
      writeState: 'u8',
      writeLatch: 'u8',
      access: 'u8',
      mode: 'u8',
      bcd: 'u8',
      gate: 'bool',
      loadTimeNs: 'int',
    },
  };
  /** Initial count, 1 to 65536. */
  count = 0;
  latchedCount = 0;
  /** Access mode of the bytes of the latched count still to be read; 0: nothing latched. */
  countLatched = 0;
  statusLatched = false;
  status = 0;
  readState = 0;
  writeState = 0;
  writeLatch = 0;
  access = 0;
  mode = 0;
  bcd = 0;
  gate = false;
  /** Virtual time at which `count` was loaded. */
  loadTimeNs = 0;

  /** Input clocks since the count was loaded. */
  private elapsed(now: number): number {
    return mulDiv(now - this.loadTimeNs, PIT_HZ, NS_PER_SECOND);
  }

  private countNow(now: number): number {
    const d = this.elapsed(now);
    switch (this.mode) {
      case 0:
      case 1:
      case 4:
      case 5:
        return (this.count - d) & 0xffff;
      case 3:
        return this.count - ((2 * d) % this.count);
      default:
        return this.count - (d % this.count);
    }
  }

  /** Level of OUT. */
  output(now: number): boolean {
    const d = this.elapsed(now);
    switch (this.mode) {
      case 1:
        return d < this.count;
      case 2:
        return d !== 0 && d % this.count === 0;
      case 3:
        return d % this.count < (this.count + 1) >> 1;
      case 4:
      case 5:
        return d === this.count;
      default:
        return d >= this.count;
    }
  }

  /** Virtual time of the next change of OUT after `now`, or null. */
  nextTransition(now: number): number | null {
    const clocks = this.nextTransitionClocks(this.elapsed(now));
    if (clocks === null) return null;
    const at = this.loadTimeNs + mulDiv(clocks, NS_PER_SECOND, PIT_HZ);
    // Rounding down can give a time that is not in the future.
    return at <= now ? now + 1 : at;
  }

  private nextTransitionClocks(d: number): number | null {
    const { count } = this;
    const intoPeriod = d % count;
    const periodStart = d - intoPeriod;
    switch (this.mode) {
      case 2:
        return intoPeriod === 0 && d !== 0 ? periodStart + count : periodStart + count + 1;
      case 3: {
        const half = (count + 1) >> 1;
        return periodStart + (intoPeriod < half ? half : count);
      }
      case 4:
      case 5:
        if (d === count) return count + 1;
        return d < count ? count : null;
      default:
        return d < count ? count : null;
    }
  }

  setControl(access: number, mode: number, bcd: number): void {
    this.access = access;
    this.readState = access;
    this.writeState = access;
    this.mode = mode;
    this.bcd = bcd;
  }

  /** A count that is latched already stays. */
  latchCount(now: number): void {
    if (this.countLatched !== 0) return;
    this.latchedCount = this.countNow(now) & 0xffff;
    this.countLatched = this.access;
  }

  latchStatus(now: number): void {
    if (this.statusLatched) return;
    this.status = (this.output(now) ? 0x80 : 0) | (this.access << 4) | (this.mode << 1) | this.bcd;
    this.statusLatched = true;
  }

  readByte(now: number): number {
    if (this.statusLatched) {
      this.statusLatched = false;
      return this.status;
    }
    if (this.countLatched !== 0) return this.readLatched();
    const count = this.countNow(now);
    switch (this.readState) {
      case MSB:
        return (count >> 8) & 0xff;
      case WORD_LOW:
        this.readState = WORD_HIGH;
        return count & 0xff;
      case WORD_HIGH:
        this.readState = WORD_LOW;
        return (count >> 8) & 0xff;
      default:
        return count & 0xff;
    }
  }

  private readLatched(): number {
    const part = this.countLatched;
    this.countLatched = part === WORD_LOW ? MSB : 0;
    return part === MSB ? this.latchedCount >> 8 : this.latchedCount & 0xff;
  }

  /** Returns true when the byte completed a count, which starts now. */
  writeByte(value: number, clock: Clock): boolean {
    switch (this.writeState) {
      case MSB:
        this.load(value << 8, clock);
        return true;
      case WORD_LOW:
        this.writeLatch = value;
        this.writeState = WORD_HIGH;
        return false;
      case WORD_HIGH:
        this.writeState = WORD_LOW;
        this.load(this.writeLatch | (value << 8), clock);
        return true;
      default:
        this.load(value, clock);
        return true;
    }
  }

  private load(value: number, clock: Clock): void {
    this.loadTimeNs = clock.nowNs();
    this.count = value === 0 ? 0x10000 : value;
  }
}
