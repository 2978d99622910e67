import type { IrqLine } from '../../src/core/bus.js';
import type { InputEvent, InputSink } from '../../src/core/nondet.js';
import type { Device, StateSchema } from '../../src/core/state.js';
import { Ps2Queue } from './ps2-queue.js';
import { KEYS, qcodeOf, qcodeOfNumber } from './scancodes.js';
import { translateSet2 } from './set2-translation.js';

/** Commands. */
const SET_LEDS = 0xed;
const ECHO = 0xee;
const SCAN_CODE_SET = 0xf0;
const GET_ID = 0xf2;
const SET_RATE = 0xf3;
const ENABLE = 0xf4;
const RESET_DISABLE = 0xf5;
const RESET_ENABLE = 0xf6;
const SET_TYPEMATIC = 0xfa;
const SET_MAKE_BREAK = 0xfc;
const RESET = 0xff;
/** Replies. */
const POWER_ON = 0xaa;
const ID = 0xab;
const ACK = 0xfa;
const RESEND = 0xfe;

/** Break prefix of sets 2 and 3. */
const BREAK = 0xf0;
const NO_COMMAND = 0;

/** Bits of `modifiers`. */
const CTRL = 0x09;
const SHIFT = 0x12;
const ALT_LEFT = 0x04;
const ALT_RIGHT = 0x20;
const MODIFIERS = new Map([
  [qcodeOf('ctrl'), 0x01],
  [qcodeOf('shift'), 0x02],
  [qcodeOf('alt'), ALT_LEFT],
  [qcodeOf('ctrl_r'), 0x08],
  [qcodeOf('shift_r'), 0x10],
  [qcodeOf('alt_r'), ALT_RIGHT],
]);
const PAUSE = qcodeOf('pause');
const PRINT = qcodeOf('print');

/** Make and break sequences of Print Screen by the modifiers held. */
interface PrintSequences {
  readonly altLeft: readonly [readonly number[], readonly number[]];
  readonly altRight: readonly [readonly number[], readonly number[]];
  readonly shiftOrCtrl: readonly [readonly number[], readonly number[]];
  readonly plain: readonly [readonly number[], readonly number[]];
}

const PRINT_SET1: PrintSequences = {
  altLeft: [
    [0xb8, 0x38, 0x54],
    [0xd4, 0xb8, 0x38],
  ],
  altRight: [
    [0xe0, 0xb8, 0xe0, 0x38, 0x54],
    [0xd4, 0xe0, 0xb8, 0xe0, 0x38],
  ],
  shiftOrCtrl: [
    [0xe0, 0x37],
    [0xe0, 0xb7],
  ],
  plain: [
    [0xe0, 0x2a, 0xe0, 0x37],
    [0xe0, 0xb7, 0xe0, 0xaa],
  ],
};
const PRINT_SET2: PrintSequences = {
  altLeft: [
    [BREAK, 0x11, 0x11, 0x84],
    [BREAK, 0x84, BREAK, 0x11, 0x11],
  ],
  altRight: [
    [0xe0, BREAK, 0x11, 0xe0, 0x11, 0x84],
    [BREAK, 0x84, 0xe0, BREAK, 0x11, 0xe0, 0x11],
  ],
  shiftOrCtrl: [
    [0xe0, 0x7c],
    [0xe0, BREAK, 0x7c],
  ],
  plain: [
    [0xe0, 0x12, 0xe0, 0x7c],
    [0xe0, BREAK, 0x7c, 0xe0, BREAK, 0x12],
  ],
};

/** Make sequences of Pause (it has no break): alone, and with Ctrl (Break). */
const PAUSE_SET1 = { plain: [0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5], ctrl: [0xe0, 0x46, 0xe0, 0xc6] };
const PAUSE_SET2 = { plain: [0xe1, 0x14, 0x77, 0xe1, BREAK, 0x14, BREAK, 0x77], ctrl: [0xe0, 0x7e, 0xe0, BREAK, 0x7e] };

/**
 * A 101/102-key PS/2 keyboard (IBM PS/2 hardware interface technical reference) with scan code sets 1, 2 and 3. Typematic is left to the host.
 * The controller's set 2 to set 1 translation happens here, byte by byte, as keys are pressed.
 */
export class Ps2Keyboard implements Device, InputSink {
  readonly schema: StateSchema = {
    name: 'ps2-keyboard',
    version: 1,
    fields: {
      queue: 'part',
      command: 'u8',
      scanning: 'bool',
      translate: 'bool',
      scanCodeSet: 'u8',
      leds: 'u8',
      modifiers: 'u8',
      breakPending: 'bool',
    },
  };
  readonly queue: Ps2Queue;
  /** The command that waits for its parameter. */
  command = NO_COMMAND;
  scanning = true;
  translate = false;
  scanCodeSet = 2;
  /** Bit 0 scroll lock, 1 num lock, 2 caps lock. */
  leds = 0;
  modifiers = 0;
  /** Translation has swallowed a break prefix. */
  breakPending = false;

  constructor(irq: IrqLine, repliesOvertake = true) {
    this.queue = new Ps2Queue(irq, repliesOvertake);
  }

  reset(): void {
    this.command = NO_COMMAND;
    this.queue.reset();
    this.scanning = true;
    this.translate = false;
    this.scanCodeSet = 2;
    this.modifiers = 0;
  }

  event(event: InputEvent): void {
    if (event.kind === 'key') this.key(event.qcode, event.down);
    else if (event.kind === 'key-number') this.key(qcodeOfNumber(Number(event.number)), event.down);
  }

  sync(): void {}

  private key(qcode: number, down: boolean): void {
    if (!this.scanning) return;
    const modifier = MODIFIERS.get(qcode) ?? 0;
    if (down) this.modifiers |= modifier;
    else this.modifiers &= ~modifier;
    if (this.scanCodeSet === 1) this.keySet1(qcode, down);
    else if (this.scanCodeSet === 2) this.keySet2(qcode, down);
    else this.keySet3(qcode, down);
  }

  private keySet1(qcode: number, down: boolean): void {
    if (qcode === PAUSE) this.pause(PAUSE_SET1, down);
    else if (qcode === PRINT) this.print(PRINT_SET1, down);
    else {
      const code = KEYS[qcode]?.[1] ?? 0;
      if (code === 0) return;
      if (code > 0xff) this.send(code >> 8);
      this.send((code & 0xff) | (down ? 0 : 0x80));
    }
  }

  private keySet2(qcode: number, down: boolean): void {
    if (qcode === PAUSE) this.pause(PAUSE_SET2, down);
    else if (qcode === PRINT) this.print(PRINT_SET2, down);
    else {
      const code = KEYS[qcode]?.[2] ?? 0;
      if (code === 0) return;
      if (code > 0xff) this.send(code >> 8);
      if (!down) this.send(BREAK);
      this.send(code & 0xff);
    }
  }

  private keySet3(qcode: number, down: boolean): void {
    const code = KEYS[qcode]?.[3] ?? 0;
    if (code === 0) return;
    if (!down) this.send(BREAK);
    this.send(code);
  }

  private pause(codes: typeof PAUSE_SET1, down: boolean): void {
    if (!down) return;
    for (const code of this.modifiers & CTRL ? codes.ctrl : codes.plain) this.send(code);
  }

  private print(codes: PrintSequences, down: boolean): void {
    const [make, release] = this.printSequence(codes);
    for (const code of down ? make : release) this.send(code);
  }

  private printSequence(codes: PrintSequences): PrintSequences['plain'] {
    if (this.modifiers & ALT_LEFT) return codes.altLeft;
    if (this.modifiers & ALT_RIGHT) return codes.altRight;
    return this.modifiers & (SHIFT | CTRL) ? codes.shiftOrCtrl : codes.plain;
  }

  /** One byte of a scan code, through the translation. */
  private send(code: number): void {
    if (!this.translate) this.queue.push(code);
    else if (code === BREAK) this.breakPending = true;
    else {
      this.queue.push(translateSet2(code) | (this.breakPending ? 0x80 : 0));
      this.breakPending = false;
    }
  }

  /** A byte from the controller. */
  write(value: number): void {
    this.queue.dropReplies();
    const command = this.command;
    this.command = NO_COMMAND;
    if (command === NO_COMMAND) this.writeCommand(value);
    else if (command === SCAN_CODE_SET) this.selectSet(value);
    else {
      if (command === SET_LEDS) this.leds = value;
      this.queue.reply(ACK);
    }
  }

  private selectSet(value: number): void {
    if (value > 3) this.queue.reply(RESEND);
    else if (value === 0) this.queue.reply(ACK, this.translate ? translateSet2(this.scanCodeSet) : this.scanCodeSet);
    else {
      this.scanCodeSet = value;
      this.queue.reply(ACK);
    }
  }

  private writeCommand(value: number): void {
    switch (value) {
      case GET_ID:
        this.queue.reply(ACK, ID, this.translate ? 0x41 : 0x83);
        return;
      case ECHO:
        this.queue.reply(ECHO);
        return;
      case ENABLE:
        this.scanning = true;
        break;
      case SCAN_CODE_SET:
      case SET_LEDS:
      case SET_RATE:
      case SET_MAKE_BREAK:
        this.command = value;
        break;
      case RESET_DISABLE:
        this.restoreDefaults();
        this.scanning = false;
        break;
      case RESET_ENABLE:
        this.restoreDefaults();
        break;
      case RESET:
        this.restoreDefaults();
        this.queue.reply(ACK, POWER_ON);
        return;
      case 0x00:
      case SET_TYPEMATIC:
        break;
      default:
        this.queue.reply(RESEND);
        return;
    }
    this.queue.reply(ACK);
  }

  private restoreDefaults(): void {
    this.scanning = true;
    this.scanCodeSet = 2;
    this.leds = 0;
    this.queue.clear();
  }
}
