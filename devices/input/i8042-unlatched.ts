import { FROM_KEYBOARD, FROM_MOUSE, I8042, type I8042Options } from './i8042.js';

/**
 * The keyboard controller as QEMU had it before 6.0, for its recordings: the status shows what the devices have queued at any moment, the
 * controller's own bytes go through the devices' queues, and disabling an interface only stops its interrupt.
 */
export class I8042Unlatched extends I8042 {
  constructor(options: I8042Options) {
    super(options, false);
  }

  protected override pendingChanged(): void {
    // The interrupt lines see only the outcome: no edge when the buffer stays full.
    this.clearFull();
    if (this.pending === 0) this.updateIrqs();
    else this.fill(this.pending === FROM_MOUSE ? FROM_MOUSE : FROM_KEYBOARD);
  }

  // The lines are driven exactly where they were then: driving a level again is an edge for an 8259A that was initialised in between.
  protected override openInterface(modeBit: number): void {
    this.mode &= ~modeBit;
    if (modeBit === FROM_KEYBOARD) this.pendingChanged();
  }

  protected override closeKeyboard(): void {
    super.closeKeyboard();
    this.pendingChanged();
  }

  protected override deviceAddressed(): void {}

  protected override send(value: number, asMouse = false): void {
    (asMouse ? this.mouse : this.keyboard).queue.push(value);
  }

  protected override readData(): number {
    const from = this.pending === FROM_MOUSE ? this.mouse : this.keyboard;
    this.outputData = from.queue.read();
    return this.outputData;
  }
}
