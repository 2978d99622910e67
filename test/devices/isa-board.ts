import { DmaPair } from '../../devices/dma/dma-pair.js';
import { I8042 } from '../../devices/input/i8042.js';
import { I8042Unlatched } from '../../devices/input/i8042-unlatched.js';
import type { CpuRequests } from '../../devices/interrupt/cpu-requests.js';
import { globalInterrupts } from '../../devices/interrupt/gsi.js';
import { IOAPIC_BASE, IOAPIC_LENGTH, IoApic } from '../../devices/interrupt/ioapic.js';
import { LOCAL_APIC_BASE, LOCAL_APIC_LENGTH, LocalApic } from '../../devices/interrupt/local-apic.js';
import { PicPair } from '../../devices/interrupt/pic-pair.js';
import { picInterrupt } from '../../devices/interrupt/pic-to-cpu.js';
import { Port61 } from '../../devices/misc/port-61.js';
import { Port92 } from '../../devices/misc/port-92.js';
import { mapFpuErrorPort, mapPostPort } from '../../devices/misc/post-port.js';
import { COM_PORTS, Uart16550 } from '../../devices/serial/uart-16550.js';
import { HPET_BASE, HPET_LENGTH, Hpet } from '../../devices/timer/hpet.js';
import { Pit8254 } from '../../devices/timer/pit-8254.js';
import { RtcMc146818 } from '../../devices/timer/rtc-mc146818.js';
import type { AccessSize } from '../../src/core/bus.js';
import type { HostClock } from '../../src/core/clock.js';
import { type Timer, TimerList } from '../../src/core/timers.js';
import { VirtualTime } from '../../src/core/virtual-time.js';
import { PhysicalMemory } from '../../src/memory/physical.js';
import { PortMap } from '../../src/memory/ports.js';

/** The virtual clock in the host clock's shape, as with `-rtc clock=vm`. */
class VirtualHostClock implements HostClock {
  private readonly time: VirtualTime;
  readonly timers = new TimerList<bigint>();
  /** Number of reads so far. */
  reads = 0;

  constructor(time: VirtualTime) {
    this.time = time;
  }
  nowNs(): bigint {
    this.reads++;
    return BigInt(this.time.nowNs());
  }
  timer(label: string, callback: () => void): Timer<bigint> {
    return this.timers.create(label, callback);
  }
}

/** The ISA side of a PC without a processor: instruction counts are set by hand. */
export class IsaBoard {
  icount = 0;
  readonly time: VirtualTime;
  readonly hostClock: VirtualHostClock;
  readonly ports = new PortMap();
  readonly memory = new PhysicalMemory(1 << 20);
  readonly pic: PicPair;
  readonly ioapic: IoApic;
  readonly apic: LocalApic;
  readonly hpet: Hpet;
  readonly pit: Pit8254;
  readonly rtc: RtcMc146818;
  readonly i8042: I8042;
  readonly uart: Uart16550;
  readonly dma: DmaPair;
  readonly port61: Port61;
  readonly port92: Port92;
  /** Bytes the UART sent. */
  readonly sent: number[] = [];
  /** Request bits that are up. */
  requests = 0;
  a20 = true;
  resets = 0;

  constructor(options: { shift?: number; dateOffsetSeconds?: number; unlatched?: boolean } = {}) {
    const { ports } = this;
    const time = new VirtualTime(options.shift ?? 0, () => {});
    this.time = time;
    time.countWith(() => this.icount);
    this.hostClock = new VirtualHostClock(time);
    const cpu: CpuRequests = {
      raise: (bits) => {
        this.requests |= bits;
      },
      lower: (bits) => {
        this.requests &= ~bits;
      },
      onCpuSide: () => true,
    };
    const sendMessage = (address: number, data: number): void => this.memory.write(address, data, 4);
    this.pic = new PicPair(ports, { set: (level) => picInterrupt(this.apic, cpu, level) });
    this.ioapic = new IoApic({ clock: time, sendMessage, acknowledgePic: () => this.pic.acknowledge() });
    this.apic = new LocalApic({
      clock: time,
      cpu,
      picOutput: () => this.pic.output,
      broadcastEoi: (vector) => this.ioapic.endOfInterrupt(vector),
      onDisable: () => {},
    });
    const irqs = globalInterrupts(this.pic, this.ioapic);
    mapPostPort(ports);
    mapFpuErrorPort(ports, () => {});
    this.dma = new DmaPair(ports, this.memory, () => {});
    this.hpet = new Hpet({ clock: time, irqs, routes: 4, enablePit: (enable) => this.pit.enableIrq(enable), sendMessage });
    this.rtc = new RtcMc146818({
      ports,
      clock: this.hostClock,
      hostClock: this.hostClock,
      dateOffsetSeconds: options.dateOffsetSeconds ?? 0,
      irq: { set: (level) => this.hpet.setRtcInterrupt(level) },
    });
    this.pit = new Pit8254(ports, time, { set: (level) => this.hpet.setPitInterrupt(level) });
    this.port61 = new Port61(ports, this.pit);
    const com1 = COM_PORTS[0]!;
    this.uart = new Uart16550({
      ports,
      port: com1.port,
      clock: time,
      irq: irqs[com1.irq]!,
      backend: {
        write: (bytes) => {
          this.sent.push(...bytes);
          return bytes.length;
        },
      },
    });
    const setA20 = (open: boolean): void => {
      this.a20 = open;
    };
    const requestReset = (): void => {
      this.resets++;
    };
    const I8042Model = options.unlatched ? I8042Unlatched : I8042;
    this.i8042 = new I8042Model({ ports, keyboardIrq: irqs[1]!, mouseIrq: irqs[12]!, setA20, requestReset });
    this.port92 = new Port92(ports, setA20, requestReset);
    this.memory.mapIo(LOCAL_APIC_BASE, LOCAL_APIC_LENGTH, this.apic.io);
    this.memory.mapIo(IOAPIC_BASE, IOAPIC_LENGTH, this.ioapic.io);
    this.memory.mapIo(HPET_BASE, HPET_LENGTH, this.hpet.io);
    this.reset();
  }

  reset(): void {
    for (const part of [this.hpet, this.rtc, this.pit, this.i8042, this.uart, this.dma, this.ioapic, this.pic, this.apic]) part.reset();
  }

  /** Executes `count` instructions; timers fire at the first instruction boundary at or after their deadline. */
  run(count: number): void {
    const end = this.icount + count;
    for (;;) {
      const virtual = this.time.timers.deadline;
      const host = this.hostClock.timers.deadline;
      const first = Math.min(virtual ?? Number.POSITIVE_INFINITY, host === null ? Number.POSITIVE_INFINITY : Number(host));
      const at = Math.max(this.icount, Math.ceil((first - this.time.bias) / this.time.nsPerInstruction));
      if (at > end) break;
      this.icount = at;
      const now = this.time.nowNs();
      const timer = this.time.timers.takeDue(now) ?? this.hostClock.timers.takeDue(BigInt(now));
      timer?.callback();
    }
    this.icount = end;
  }

  in(port: number, size: AccessSize = 1): number {
    return this.ports.read(port, size);
  }

  out(port: number, value: number, size: AccessSize = 1): void {
    this.ports.write(port, value, size);
  }
}
