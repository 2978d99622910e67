import type { StatefulPart, StateSchema } from '../../src/core/state.js';

const WORDS = 64;
const IDLE = 0;
const START = 1;
const COMMAND = 2;
const READ = 3;
const OP_MASK = 0xc0;
const OP_READ = 0x80;

/**
 * The 93C46 serial EEPROM, 64 words of 16 bits, behind the wires CS, SK, DI and DO, as QEMU's RTL8139 has it: it is read; commands that write or erase
 * are taken, and change nothing.
 */
export class Eeprom93c46 implements StatefulPart {
  readonly schema: StateSchema = {
    name: 'eeprom-93c46',
    version: 1,
    fields: { mode: 'u8', tick: 'u32', input: 'u16', output: 'u16', cs: 'bool', sk: 'bool', di: 'bool', dataOut: 'bool' },
  };
  mode = IDLE;
  /** Clocks in this mode. */
  tick = 0;
  input = 0;
  output = 0;
  cs = false;
  sk = false;
  di = false;
  dataOut = false;
  private readonly words: Uint16Array;

  constructor(words: readonly number[]) {
    this.words = Uint16Array.from({ length: WORDS }, (_, i) => words[i] ?? 0);
  }

  /** DO; low while the chip is not selected. */
  get do(): boolean {
    return this.cs && this.dataOut;
  }

  setWires(cs: boolean, sk: boolean, di: boolean): void {
    const selected = cs && !this.cs;
    const clocked = sk && !this.sk;
    this.cs = cs;
    this.sk = sk;
    this.di = di;
    if (selected) {
      this.tick = 0;
      this.input = 0;
      this.output = 0;
      this.mode = START;
    }
    if (cs && clocked) this.clock();
  }

  private clock(): void {
    this.tick = (this.tick + 1) >>> 0;
    const bit = this.di ? 1 : 0;
    if (this.mode === START && bit) this.enter(COMMAND);
    else if (this.mode === COMMAND) {
      this.input = ((this.input << 1) | bit) & 0xffff;
      if (this.tick === 8) this.decode(this.input & 0xff);
    } else if (this.mode === READ) {
      this.dataOut = (this.output & 0x8000) !== 0;
      this.output = (this.output << 1) & 0xffff;
      // The next command needs no new select.
      if (this.tick === 16) this.enter(START);
    }
  }

  private enter(mode: number): void {
    this.mode = mode;
    this.tick = 0;
    this.input = 0;
  }

  private decode(command: number): void {
    const address = command & (WORDS - 1);
    switch (command & OP_MASK) {
      case OP_READ:
        this.output = this.words[address]!;
        this.dataOut = false;
        this.tick = 0;
        this.mode = READ;
        return;
      case 0x40:
        this.enter(IDLE);
        return;
      default:
        this.mode = IDLE;
    }
  }
}
