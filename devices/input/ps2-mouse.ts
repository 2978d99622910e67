import type { IrqLine } from '../../src/core/bus.js';
import type { InputEvent, InputSink } from '../../src/core/nondet.js';
import type { Device, StateSchema } from '../../src/core/state.js';
import { Ps2Queue } from './ps2-queue.js';

/** Commands. */
const SCALE_1_1 = 0xe6;
const SCALE_2_1 = 0xe7;
const SET_RESOLUTION = 0xe8;
const GET_STATUS = 0xe9;
const STREAM_MODE = 0xea;
const POLL = 0xeb;
const RESET_WRAP = 0xec;
const SET_WRAP = 0xee;
const REMOTE_MODE = 0xf0;
const GET_TYPE = 0xf2;
const SET_SAMPLE_RATE = 0xf3;
const ENABLE = 0xf4;
const DISABLE = 0xf5;
const SET_DEFAULTS = 0xf6;
const RESET = 0xff;
const ACK = 0xfa;
const SELF_TEST_PASSED = 0xaa;
const NO_COMMAND = 0;

/** Status byte. */
const REMOTE = 0x40;
const ENABLED = 0x20;
const SCALED = 0x10;

/** Device types. */
const PS2 = 0;
const INTELLIMOUSE = 3;
const INTELLIMOUSE_EXPLORER = 4;

/** Sample rates that unlock a type, in order after `first`. */
const RATE_STEP = 200;

/** Input event buttons. */
const WHEEL_UP = 3;
const WHEEL_DOWN = 4;
const WHEEL_LEFT = 7;
const WHEEL_RIGHT = 8;
/** Packet bits by event button: left, middle, right, -, -, side, extra. */
const BUTTON_BITS = [0x01, 0x04, 0x02, 0, 0, 0x08, 0x10];

function clamp(value: number, limit: number): number {
  return Math.max(-limit, Math.min(limit, value));
}

/**
 * A PS/2 mouse that becomes an IntelliMouse (wheel) or IntelliMouse Explorer (wheel, two more buttons, horizontal wheel) after the sample rate
 * sequences 200, 100, 80 and 200, 200, 80. Movement is gathered and sent at the end of a group of events; scaling and resolution only read back.
 */
export class Ps2Mouse implements Device, InputSink {
  readonly schema: StateSchema = {
    name: 'ps2-mouse',
    version: 1,
    fields: {
      queue: 'part',
      command: 'u8',
      status: 'u8',
      resolution: 'u8',
      sampleRate: 'u8',
      wrap: 'bool',
      type: 'u8',
      detectState: 'u8',
      dx: 'i32',
      dy: 'i32',
      dz: 'i32',
      dw: 'i32',
      buttons: 'u8',
      touched: 'bool',
    },
  };
  readonly queue: Ps2Queue;
  /** The command that waits for its parameter. */
  command = NO_COMMAND;
  status = 0;
  resolution = 0;
  sampleRate = 0;
  /** Wrap mode: bytes are echoed. */
  wrap = false;
  type = PS2;
  /** Progress in an unlocking sequence: 1 after 200, 2 after 200 100, 3 after 200 200. */
  detectState = 0;
  /** Movement not sent yet: right, up, wheel towards the user, wheel left. */
  dx = 0;
  dy = 0;
  dz = 0;
  dw = 0;
  buttons = 0;
  /** There were events for a mouse since the last end of a group. */
  touched = false;

  constructor(irq: IrqLine) {
    this.queue = new Ps2Queue(irq);
  }

  reset(): void {
    this.command = NO_COMMAND;
    this.queue.reset();
    this.status = 0;
    this.resolution = 0;
    this.sampleRate = 0;
    this.wrap = false;
    this.type = PS2;
    this.detectState = 0;
    this.dx = 0;
    this.dy = 0;
    this.dz = 0;
    this.dw = 0;
    this.buttons = 0;
  }

  event(event: InputEvent): void {
    if (event.kind !== 'rel' && event.kind !== 'button') return;
    this.touched = true;
    if ((this.status & ENABLED) === 0) return;
    if (event.kind === 'button') this.button(event.button, event.down);
    else if (event.axis === 0) this.dx = (this.dx + event.value) | 0;
    else if (event.axis === 1) this.dy = (this.dy - event.value) | 0;
  }

  private button(button: number, down: boolean): void {
    const bit = BUTTON_BITS[button] ?? 0;
    if (!down) {
      this.buttons &= ~bit;
      return;
    }
    this.buttons |= bit;
    if (button === WHEEL_UP) this.dz--;
    else if (button === WHEEL_DOWN) this.dz++;
    else if (button === WHEEL_RIGHT) this.dw--;
    else if (button === WHEEL_LEFT) this.dw++;
  }

  sync(): void {
    if (!this.touched) return;
    this.touched = false;
    if ((this.status & ENABLED) === 0 || this.status & REMOTE) return;
    // Movement too large for one packet takes several, while they fit.
    while (this.sendPacket()) if (this.dx === 0 && this.dy === 0 && this.dz === 0 && this.dw === 0) break;
  }

  /** Queues one packet; false when it does not fit. */
  private sendPacket(): boolean {
    if (this.queue.free < (this.type === PS2 ? 3 : 4)) return false;
    const dx = clamp(this.dx, 127);
    const dy = clamp(this.dy, 127);
    const head = 0x08 | (dx < 0 ? 0x10 : 0) | (dy < 0 ? 0x20 : 0) | (this.buttons & 7);
    const packet = [head, dx & 0xff, dy & 0xff];
    if (this.type === INTELLIMOUSE) packet.push(this.takeWheel());
    else if (this.type === INTELLIMOUSE_EXPLORER) packet.push(this.takeExplorerByte());
    else {
      this.dz = 0;
      this.dw = 0;
    }
    this.queue.push(...packet);
    this.dx -= dx;
    this.dy -= dy;
    return true;
  }

  private takeWheel(): number {
    const dz = clamp(this.dz, 127);
    this.dz -= dz;
    this.dw = 0;
    return dz & 0xff;
  }

  /** Horizontal wheel (bit 6 set), else wheel and buttons 4 and 5. */
  private takeExplorerByte(): number {
    if (this.dw !== 0) {
      const dw = clamp(this.dw, 31);
      this.dw -= dw;
      return (dw & 0x3f) | 0x40;
    }
    const dz = clamp(this.dz, 7);
    this.dz -= dz;
    return (dz & 0x0f) | ((this.buttons & 0x18) << 1);
  }

  /** A byte from the controller. */
  write(value: number): void {
    const command = this.command;
    this.command = NO_COMMAND;
    if (command === SET_SAMPLE_RATE) {
      this.sampleRate = value;
      this.detectType(value);
      this.queue.push(ACK);
    } else if (command === SET_RESOLUTION) {
      this.resolution = value;
      this.queue.push(ACK);
    } else if (this.wrap && value === RESET_WRAP) {
      this.wrap = false;
      this.queue.push(ACK);
    } else if (this.wrap && value !== RESET) this.queue.push(value);
    else this.writeCommand(value);
  }

  private detectType(rate: number): void {
    const state = this.detectState;
    this.detectState = 0;
    if (state === 0) this.detectState = rate === RATE_STEP ? 1 : 0;
    else if (state === 1) this.detectState = rate === 100 ? 2 : rate === RATE_STEP ? 3 : 0;
    else if (rate === 80) this.type = state === 2 ? INTELLIMOUSE : INTELLIMOUSE_EXPLORER;
  }

  private writeCommand(value: number): void {
    switch (value) {
      case SCALE_1_1:
        this.status &= ~SCALED;
        break;
      case SCALE_2_1:
        this.status |= SCALED;
        break;
      case STREAM_MODE:
        this.status &= ~REMOTE;
        break;
      case REMOTE_MODE:
        this.status |= REMOTE;
        break;
      case SET_WRAP:
        this.wrap = true;
        break;
      case SET_RESOLUTION:
      case SET_SAMPLE_RATE:
        this.command = value;
        break;
      case ENABLE:
        this.status |= ENABLED;
        break;
      case DISABLE:
        this.status &= ~ENABLED;
        break;
      case SET_DEFAULTS:
        this.restoreDefaults();
        break;
      case GET_TYPE:
        this.queue.push(ACK, this.type);
        return;
      case GET_STATUS:
        this.queue.push(ACK, this.status, this.resolution, this.sampleRate);
        return;
      case POLL:
        this.queue.push(ACK);
        this.sendPacket();
        return;
      case RESET:
        this.restoreDefaults();
        this.type = PS2;
        this.queue.clear();
        this.queue.push(ACK, SELF_TEST_PASSED, this.type);
        return;
      default:
        return;
    }
    this.queue.push(ACK);
  }

  private restoreDefaults(): void {
    this.sampleRate = 100;
    this.resolution = 2;
    this.status = 0;
  }
}
