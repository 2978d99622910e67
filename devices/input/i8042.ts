import type { IoHandlers, IrqLine, PortSpace } from '../../src/core/bus.js';
import type { Device, StateSchema } from '../../src/core/state.js';
import { Ps2Keyboard } from './ps2-keyboard.js';
import { Ps2Mouse } from './ps2-mouse.js';

/** Commands (port 0x64). */
const READ_MODE = 0x20;
const WRITE_MODE = 0x60;
const MOUSE_DISABLE = 0xa7;
const MOUSE_ENABLE = 0xa8;
const MOUSE_TEST = 0xa9;
const SELF_TEST = 0xaa;
const KEYBOARD_TEST = 0xab;
const KEYBOARD_DISABLE = 0xad;
const KEYBOARD_ENABLE = 0xae;
const READ_INPUT_PORT = 0xc0;
const READ_OUTPUT_PORT = 0xd0;
const WRITE_OUTPUT_PORT = 0xd1;
const WRITE_KEYBOARD_BUFFER = 0xd2;
const WRITE_MOUSE_BUFFER = 0xd3;
const WRITE_MOUSE = 0xd4;
const A20_OFF = 0xdd;
const A20_ON = 0xdf;
const PULSE = 0xf0;
const NO_COMMAND = 0;

/** Status register. */
const STATUS_OBF = 0x01;
const STATUS_SELF_TEST = 0x04;
const STATUS_COMMAND = 0x08;
const STATUS_UNLOCKED = 0x10;
const STATUS_MOUSE_OBF = 0x20;

/** Mode register ("command byte"). */
const MODE_KEYBOARD_IRQ = 0x01;
const MODE_MOUSE_IRQ = 0x02;
const MODE_KEYBOARD_OFF = 0x10;
const MODE_MOUSE_OFF = 0x20;
const MODE_TRANSLATE = 0x40;

/** Output port P2. */
const OUT_NOT_RESET = 0x01;
const OUT_A20 = 0x02;
const OUT_OBF = 0x10;
const OUT_MOUSE_OBF = 0x20;
const OUT_ONES = 0xcc;

/** Who has a byte for the output buffer. Those of the devices are the mode bits that hold them back. */
const FROM_CONTROLLER = 0x04;
const FROM_CONTROLLER_AS_MOUSE = 0x08;
export const FROM_KEYBOARD = MODE_KEYBOARD_OFF;
export const FROM_MOUSE = MODE_MOUSE_OFF;

/** What the controller is wired to. */
export interface I8042Options {
  readonly ports: PortSpace;
  readonly keyboardIrq: IrqLine;
  readonly mouseIrq: IrqLine;
  readonly setA20: (open: boolean) => void;
  readonly requestReset: () => void;
}

/** The 8042 keyboard controller at ports 0x60 and 0x64 with its PS/2 keyboard and mouse (IBM PS/2 hardware interface technical reference). */
export class I8042 implements Device {
  readonly schema: StateSchema = {
    name: 'i8042',
    version: 1,
    fields: {
      keyboard: 'part',
      mouse: 'part',
      command: 'u8',
      status: 'u8',
      mode: 'u8',
      outputPort: 'u8',
      pending: 'u8',
      source: 'u8',
      outputData: 'u8',
      controllerData: 'u8',
    },
  };
  readonly keyboard: Ps2Keyboard;
  readonly mouse: Ps2Mouse;
  /** The command that waits for its parameter. */
  command = NO_COMMAND;
  status = 0;
  mode = 0;
  outputPort = 0;
  /** FROM_* bits: who waits to fill the output buffer. */
  pending = 0;
  /** The FROM_* bit of who filled it. */
  source = 0;
  /** The last byte read. */
  outputData = 0;
  controllerData = 0;
  private readonly options: I8042Options;

  constructor(options: I8042Options, repliesOvertake = true) {
    this.options = options;
    this.keyboard = new Ps2Keyboard({ set: (level) => this.setPending(FROM_KEYBOARD, level) }, repliesOvertake);
    this.mouse = new Ps2Mouse({ set: (level) => this.setPending(FROM_MOUSE, level) });
    const data: IoHandlers = {
      name: 'i8042 data',
      maxSize: 1,
      read: () => this.readData(),
      write: (_offset, value) => this.writeData(value),
    };
    const control: IoHandlers = {
      name: 'i8042 control',
      maxSize: 1,
      read: () => this.status,
      write: (_offset, value) => this.writeCommand(value),
    };
    options.ports.map(0x60, 1, data);
    options.ports.map(0x64, 1, control);
  }

  /** A command that waits for its parameter goes on waiting, as in QEMU. */
  reset(): void {
    this.keyboard.reset();
    this.mouse.reset();
    this.mode = MODE_KEYBOARD_IRQ | MODE_MOUSE_IRQ;
    this.status = STATUS_COMMAND | STATUS_UNLOCKED;
    this.outputPort = OUT_NOT_RESET | OUT_A20 | OUT_ONES;
    this.pending = 0;
    this.emptyBuffer();
  }

  private setPending(source: number, level: boolean): void {
    if (level) this.pending |= source;
    else this.pending &= ~source;
    this.pendingChanged();
  }

  /** Sources that may fill the buffer now. */
  private get ready(): number {
    return this.pending & ~(this.mode & (FROM_KEYBOARD | FROM_MOUSE));
  }

  private emptyBuffer(): void {
    this.clearFull();
    this.updateIrqs();
  }

  protected clearFull(): void {
    this.status &= ~(STATUS_OBF | STATUS_MOUSE_OBF);
    this.outputPort &= ~(OUT_OBF | OUT_MOUSE_OBF);
  }

  /** Something has become ready, or may have. */
  protected pendingChanged(): void {
    if ((this.status & STATUS_OBF) === 0 && this.ready !== 0) this.fill(this.nextSource());
  }

  /** The first of the waiting sources: controller, keyboard, mouse. */
  private nextSource(): number {
    const { ready } = this;
    if (ready & FROM_CONTROLLER) return FROM_CONTROLLER;
    if (ready & FROM_CONTROLLER_AS_MOUSE) return FROM_CONTROLLER_AS_MOUSE;
    return ready & FROM_KEYBOARD ? FROM_KEYBOARD : FROM_MOUSE;
  }

  protected fill(source: number): void {
    this.source = source;
    this.status |= STATUS_OBF;
    this.outputPort |= OUT_OBF;
    if (source & (FROM_CONTROLLER_AS_MOUSE | FROM_MOUSE)) {
      this.status |= STATUS_MOUSE_OBF;
      this.outputPort |= OUT_MOUSE_OBF;
    }
    this.updateIrqs();
  }

  protected updateIrqs(): void {
    const full = (this.status & STATUS_OBF) !== 0;
    const fromMouse = (this.status & STATUS_MOUSE_OBF) !== 0;
    const keyboardOn = (this.mode & (MODE_KEYBOARD_IRQ | MODE_KEYBOARD_OFF)) === MODE_KEYBOARD_IRQ;
    this.options.keyboardIrq.set(full && !fromMouse && keyboardOn);
    this.options.mouseIrq.set(full && fromMouse && (this.mode & MODE_MOUSE_IRQ) !== 0);
  }

  protected openInterface(modeBit: number): void {
    this.mode &= ~modeBit;
    this.pendingChanged();
  }

  /** What is in the output buffer already stays readable. */
  protected closeKeyboard(): void {
    this.mode |= MODE_KEYBOARD_OFF;
  }

  /** A byte for a device switches its interface on. */
  protected deviceAddressed(modeBit: number): void {
    this.openInterface(modeBit);
  }

  /** A byte of the controller's own. */
  protected send(value: number, asMouse = false): void {
    this.controllerData = value;
    this.pending &= ~(FROM_CONTROLLER | FROM_CONTROLLER_AS_MOUSE);
    this.pending |= asMouse ? FROM_CONTROLLER_AS_MOUSE : FROM_CONTROLLER;
    this.pendingChanged();
  }

  protected readData(): number {
    if (this.status & STATUS_OBF) {
      this.emptyBuffer();
      if (this.source === FROM_KEYBOARD) this.outputData = this.keyboard.queue.read();
      else if (this.source === FROM_MOUSE) this.outputData = this.mouse.queue.read();
      else this.outputData = this.takeControllerByte();
    }
    return this.outputData;
  }

  private takeControllerByte(): number {
    this.pending &= ~(FROM_CONTROLLER | FROM_CONTROLLER_AS_MOUSE);
    if (this.ready !== 0) this.fill(this.nextSource());
    return this.controllerData;
  }

  private writeCommand(written: number): void {
    // 0xf0-0xff pulse P2 bits: only bit 0 (0xfe and the other even ones), the reset, does something.
    if ((written & PULSE) === PULSE) {
      if ((written & 1) === 0) this.options.requestReset();
      return;
    }
    switch (written) {
      case READ_MODE:
        this.send(this.mode);
        return;
      case WRITE_MODE:
      case WRITE_KEYBOARD_BUFFER:
      case WRITE_MOUSE_BUFFER:
      case WRITE_MOUSE:
      case WRITE_OUTPUT_PORT:
        this.command = written;
        return;
      case MOUSE_DISABLE:
        this.mode |= MODE_MOUSE_OFF;
        return;
      case MOUSE_ENABLE:
        this.openInterface(MODE_MOUSE_OFF);
        return;
      case KEYBOARD_DISABLE:
        this.closeKeyboard();
        return;
      case KEYBOARD_ENABLE:
        this.openInterface(MODE_KEYBOARD_OFF);
        return;
      case SELF_TEST:
        this.status |= STATUS_SELF_TEST;
        this.send(0x55);
        return;
      case MOUSE_TEST:
      case KEYBOARD_TEST:
        this.send(0x00);
        return;
      case READ_INPUT_PORT:
        this.send(0x80);
        return;
      case READ_OUTPUT_PORT:
        this.send(this.outputPort);
        return;
      case A20_ON:
        this.options.setA20(true);
        this.outputPort |= OUT_A20;
        return;
      case A20_OFF:
        this.options.setA20(false);
        this.outputPort &= ~OUT_A20;
        return;
      default:
    }
  }

  private writeData(value: number): void {
    const { command } = this;
    switch (command) {
      case NO_COMMAND:
        this.keyboard.write(value);
        this.deviceAddressed(MODE_KEYBOARD_OFF);
        break;
      case WRITE_MODE:
        this.mode = value;
        this.keyboard.translate = (value & MODE_TRANSLATE) !== 0;
        this.updateIrqs();
        this.pendingChanged();
        break;
      case WRITE_KEYBOARD_BUFFER:
        this.send(value);
        break;
      case WRITE_MOUSE_BUFFER:
        this.send(value, true);
        break;
      case WRITE_OUTPUT_PORT:
        this.outputPort = value;
        this.options.setA20((value & OUT_A20) !== 0);
        if ((value & OUT_NOT_RESET) === 0) this.options.requestReset();
        break;
      case WRITE_MOUSE:
        this.mouse.write(value);
        this.deviceAddressed(MODE_MOUSE_OFF);
        break;
      default:
    }
    this.command = NO_COMMAND;
  }
}
