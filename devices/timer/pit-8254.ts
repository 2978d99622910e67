import type { IoHandlers, IrqLine, PortSpace } from '../../src/core/bus.js';
import type { Clock } from '../../src/core/clock.js';
import type { Device, StateSchema } from '../../src/core/state.js';
import type { Timer } from '../../src/core/timers.js';
import { PitChannel } from './pit-channel.js';

/**
 * The 8254 interval timer of a PC at ports 0x40-0x43 (Intel 8254 data sheet). Channel 0 drives an interrupt line; channel 2's gate and output
 * are at port 0x61 (misc/port-61.ts). Not modelled, as in QEMU: BCD counting, null count, gate level in modes 0 and 4.
 */
export class Pit8254 implements Device {
  readonly schema: StateSchema = {
    name: 'i8254',
    version: 1,
    fields: { channels: 'parts', timer: 'timer', nextTransitionNs: 'int', irqDisabled: 'bool' },
  };
  readonly channels: readonly PitChannel[] = [new PitChannel(), new PitChannel(), new PitChannel()];
  readonly timer: Timer<number>;
  /** When channel 0's output changes next (virtual ns); null: never. */
  nextTransitionNs: number | null = null;
  /** The HPET has taken over channel 0's interrupt (legacy replacement). */
  irqDisabled = false;
  private readonly clock: Clock;
  private readonly irq: IrqLine;

  /** @param irq output of channel 0. */
  constructor(ports: PortSpace, clock: Clock, irq: IrqLine) {
    this.clock = clock;
    this.irq = irq;
    this.timer = clock.timer('pit', () => this.updateIrq(this.nextTransitionNs!));
    const io: IoHandlers = {
      name: 'pit',
      maxSize: 1,
      read: (offset) => (offset === 3 ? 0 : this.channels[offset]!.readByte(this.clock.nowNs())),
      write: (offset, value) => (offset === 3 ? this.writeControl(value) : this.writeCounter(offset, value)),
    };
    ports.map(0x40, 4, io);
  }

  /** Loads mode 3, count 65536 in all channels; latches and access modes keep their state, as the 8254 has no reset input. */
  reset(): void {
    const now = this.clock.nowNs();
    this.channels.forEach((channel, index) => {
      channel.mode = 3;
      channel.gate = index !== 2;
      channel.loadTimeNs = now;
      channel.count = 0x10000;
    });
    if (this.irqDisabled) return;
    this.nextTransitionNs = this.channels[0]!.nextTransition(now);
    this.armTimer();
  }

  /** Level of GATE of a channel (0 or 1 is tied high on a PC; channel 2 is port 0x61 bit 0). A rising edge restarts modes 1, 2, 3 and 5. */
  setGate(index: number, level: boolean): void {
    const channel = this.channels[index]!;
    const restarts = channel.mode === 1 || channel.mode === 2 || channel.mode === 3 || channel.mode === 5;
    if (restarts && level && !channel.gate) {
      channel.loadTimeNs = this.clock.nowNs();
      if (index === 0) this.updateIrq(channel.loadTimeNs);
    }
    channel.gate = level;
  }

  /** OUT of a channel now. */
  output(index: number): boolean {
    return this.channels[index]!.output(this.clock.nowNs());
  }

  /** Gives channel 0's interrupt to (false) or takes it back from (true) the HPET. */
  enableIrq(enable: boolean): void {
    this.irqDisabled = !enable;
    if (enable) this.updateIrq(this.clock.nowNs());
    else this.timer.cancel();
  }

  private writeControl(value: number): void {
    const select = value >> 6;
    if (select === 3) {
      this.readBack(value);
      return;
    }
    const channel = this.channels[select]!;
    const access = (value >> 4) & 3;
    if (access === 0) channel.latchCount(this.clock.nowNs());
    else channel.setControl(access, (value >> 1) & 7, value & 1);
  }

  private readBack(value: number): void {
    const now = this.clock.nowNs();
    this.channels.forEach((channel, index) => {
      if ((value & (2 << index)) === 0) return;
      if ((value & 0x20) === 0) channel.latchCount(now);
      if ((value & 0x10) === 0) channel.latchStatus(now);
    });
  }

  private writeCounter(index: number, value: number): void {
    const loaded = this.channels[index]!.writeByte(value, this.clock);
    if (loaded && index === 0) this.updateIrq(this.channels[0]!.loadTimeNs);
  }

  private updateIrq(now: number): void {
    if (this.irqDisabled) return;
    const channel = this.channels[0]!;
    const next = channel.nextTransition(now);
    this.irq.set(channel.output(now));
    this.nextTransitionNs = next;
    this.armTimer();
  }

  private armTimer(): void {
    if (this.nextTransitionNs === null) this.timer.cancel();
    else this.timer.arm(this.nextTransitionNs);
  }
}
