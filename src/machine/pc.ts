// Longer than most: the one place that says what is wired to what.

import { renderScreen, type Screen } from '../../devices/display/screen.js';
import { Vga } from '../../devices/display/vga.js';
import { VgaPci } from '../../devices/display/vga-pci.js';
import { DmaPair } from '../../devices/dma/dma-pair.js';
import { ACPI_PORTS, SCI_IRQ } from '../../devices/firmware/acpi/board.js';
import { FwCfg } from '../../devices/firmware/fw-cfg.js';
import { loadBios } from '../../devices/firmware/rom-loader.js';
import { I8042 } from '../../devices/input/i8042.js';
import { I8042Unlatched } from '../../devices/input/i8042-unlatched.js';
import { type CpuRequests, REQUEST_SMI } from '../../devices/interrupt/cpu-requests.js';
import { globalInterrupts } from '../../devices/interrupt/gsi.js';
import { IOAPIC_BASE, IOAPIC_LENGTH, IoApic } from '../../devices/interrupt/ioapic.js';
import { LOCAL_APIC_BASE, LOCAL_APIC_LENGTH, LocalApic } from '../../devices/interrupt/local-apic.js';
import { PicPair } from '../../devices/interrupt/pic-pair.js';
import { acknowledgeInterrupt, picInterrupt } from '../../devices/interrupt/pic-to-cpu.js';
import { AcpiCpuHotplug } from '../../devices/misc/acpi-cpu-hotplug.js';
import { AcpiPciHotplug } from '../../devices/misc/acpi-pci-hotplug.js';
import { Debugcon } from '../../devices/misc/debugcon.js';
import { IsaDebugExit } from '../../devices/misc/isa-debug-exit.js';
import { Port61 } from '../../devices/misc/port-61.js';
import { Port92 } from '../../devices/misc/port-92.js';
import { mapFpuErrorPort, mapPostPort } from '../../devices/misc/post-port.js';
import { I440fx } from '../../devices/pci/i440fx.js';
import { PcMemoryMap } from '../../devices/pci/pc-memory-map.js';
import { PciBus } from '../../devices/pci/pci-bus.js';
import type { PciDevice } from '../../devices/pci/pci-device.js';
import { Piix3 } from '../../devices/pci/piix3.js';
import { Piix4Pm } from '../../devices/pci/piix4-pm.js';
import { COM_PORTS, Uart16550 } from '../../devices/serial/uart-16550.js';
import { diskCmos } from '../../devices/storage/disk-cmos.js';
import { Piix3Ide } from '../../devices/storage/piix3-ide.js';
import { HPET_BASE, HPET_LENGTH, Hpet } from '../../devices/timer/hpet.js';
import { Pit8254 } from '../../devices/timer/pit-8254.js';
import { RtcMc146818 } from '../../devices/timer/rtc-mc146818.js';
import { setA20Gate } from '../../jit/x86/a20.js';
import { Cpu, type CpuBoard } from '../../jit/x86/cpu.js';
import { Engine, type EngineOptions } from '../../jit/x86/engine.js';
import { acknowledgeFerr } from '../../jit/x86/fpu.js';
import type { Session } from '../../replay/session.js';
import type { MemoryOverlay } from '../block/memory-overlay.js';
import type { IrqLine } from '../core/bus.js';
import { UserError } from '../core/errors.js';
import { type AsyncEvent, type MachineView, POWER_BUTTON } from '../core/machine-view.js';
import type { Device, StatefulPart } from '../core/state.js';
import type { TimerList } from '../core/timers.js';
import type { VirtualTime } from '../core/virtual-time.js';
import { PhysicalMemory } from '../memory/physical.js';
import { PortMap } from '../memory/ports.js';
import { bootCmos } from './boot-option.js';
import { CharDevices } from './char-devices.js';
import { SessionHostClock, VirtualHostClock } from './clocks.js';
import { configureCmos } from './cmos.js';
import { DISPLAY_SLOT, type MachineConfig } from './config.js';
import { Disks } from './disks.js';
import { describeFirmware } from './firmware.js';
import { readInput } from './input-file.js';
import type { JitMode } from './job.js';
import { offerLinux, readLinux } from './linux-boot.js';
import { LinuxDirect } from './linux-direct.js';
import { isLinux, type LinuxImage } from './linux-image.js';
import { MultibootKernel } from './multiboot.js';
import { Networks } from './networks.js';
import { refuseTakenPorts } from './port-check.js';
import { Sound } from './sound.js';

/** Interrupts that the HPET's timers may be routed to on this board: 2 as a bit mask. */
const HPET_ROUTES = 4;
const VRAM_BYTES = 16 << 20;
const ROM_SPACE_BYTES = 20 << 20;
const FERR_IRQ = 13;
const PIT_IRQ = 0;
const RTC_IRQ = 8;
/** Local APIC registers as PC firmware leaves them: SVR, LVT LINT0, LVT LINT1. */
const FIRMWARE_APIC = [
  [0xf0, 0x1ff],
  [0x350, 0x8700],
  [0x360, 0x8400],
] as const;
/** IA32_APIC_BASE of a processor without a local APIC: it is the bootstrap processor. */
const APIC_BASE_BSP = 0x100;

/** A kernel that is started without firmware. */
interface DirectKernel {
  start(cpu: Cpu): void;
}

/** The i440FX PC: what QEMU calls `pc`. */
export class PcMachine implements MachineView {
  readonly time: VirtualTime;
  readonly hostTimers: TimerList<bigint>;
  readonly memory: PhysicalMemory;
  readonly cpu: Cpu;
  readonly engine: Engine;
  readonly parts: Record<string, StatefulPart> = {};
  resetRequested = false;
  /** Told of every reset, and whether the guest asked for it. */
  onReset: ((byGuest: boolean) => void) | null = null;
  /** Exit status that the guest asked for through isa-debug-exit. */
  exitValue: number | null = null;

  private readonly session: Session;
  readonly config: MachineConfig;
  readonly ports = new PortMap();
  private readonly chars: CharDevices;
  /** In the order in which they are built. */
  private readonly devices: Device[] = [];
  private readonly requests: CpuRequests;
  private readonly irqs: readonly IrqLine[];
  private readonly pic: PicPair;
  private readonly ioapic: IoApic;
  private readonly apic: LocalApic | null;
  private readonly i8042: I8042;
  private readonly rtc: RtcMc146818;
  private readonly bus: PciBus;
  private readonly host: I440fx;
  private readonly ide: Piix3Ide;
  private readonly pm: Piix4Pm | null;
  readonly disks: Disks;
  private readonly vga: Vga | null;
  private readonly sound: Sound | null;
  private readonly networks: Networks;
  /** Registers of the CMOS RAM that are set at every reset by the guest or a user. */
  private cmosAtReset: () => void = () => {};
  /** What starts in firmware's place. */
  private readonly kernel: DirectKernel | null;
  private readonly linux: LinuxImage | null;

  /**
   * @param describe fills the firmware configuration; for tests that need another machine's.
   * @param observed what is to be measured of the engine, and how soon it translates.
   */
  constructor(
    config: MachineConfig,
    session: Session,
    jit: JitMode,
    describe?: (fwCfg: FwCfg) => void,
    observed: Omit<EngineOptions, 'jit'> = {},
  ) {
    this.config = config;
    this.session = session;
    this.time = session.time;
    // The RTC's date is settled before the board is built: one read of the host clock.
    const startNs = session.hostClockNs();
    session.checkpointInit();
    const hostClock = new SessionHostClock(session);
    this.hostTimers = hostClock.timers;
    this.chars = new CharDevices(session, config.channels);
    this.memory = new PhysicalMemory(config.memoryBytes + VRAM_BYTES + ROM_SPACE_BYTES);
    this.cpu = new Cpu(this.memory, this.cpuBoard(), config.cpu);
    this.cpu.apicPresent = config.apic;
    this.engine = new Engine(this.cpu, { jit, ...observed });
    session.attach(this);
    this.requests = {
      raise: (bits) => {
        this.cpu.interruptRequest |= bits;
      },
      lower: (bits) => {
        this.cpu.interruptRequest &= ~bits;
      },
      onCpuSide: () => session.cpuSide,
    };
    const map = new PcMemoryMap(this.memory, this.memory.allocate(config.memoryBytes, 'ram'), config.memoryBytes);

    this.pic = this.add('pic', new PicPair(this.ports, { set: (level) => picInterrupt(this.apic, this.requests, level) }));
    this.ioapic = this.add('ioapic', this.makeIoApic());
    this.apic = config.apic ? this.add('local-apic', this.makeLocalApic()) : null;
    this.irqs = globalInterrupts(this.pic, this.ioapic);
    this.disks = new Disks(config.drives, config.foundAt);
    this.networks = new Networks(session, config);
    this.vga = config.vga ? this.add('vga', this.makeVga(map)) : null;
    const { bus, host, ide, pm } = this.makePci(map);
    this.bus = bus;
    this.host = host;
    this.ide = ide;
    this.pm = pm;
    this.sound = this.makeSound();
    this.rtc = this.makeTimers(hostClock, dateOffset(config.rtcBase, startNs));
    this.i8042 = this.add('i8042', this.makeI8042());
    this.makeSerialAndDebug();
    this.add('dma', new DmaPair(this.ports, this.memory, () => {}));
    const kernel = config.kernel === null ? null : readInput('--kernel', config.kernel, config.foundAt);
    this.linux = kernel !== null && isLinux(kernel) ? readLinux(config, kernel) : null;
    this.makeFirmware(map, pm, describe);
    refuseTakenPorts(this.ports, config);
    this.kernel = kernel === null ? null : this.makeKernel(kernel);
    this.parts.cpu = this.cpu;
    this.parts['virtual-time'] = this.time;
    this.parts['device-requests'] = session.requests;

    session.checkpointReset();
    this.reset();
    const { boot } = config;
    if (boot?.once != null)
      this.cmosAtReset = () => {
        for (const [register, value] of bootCmos(boot, false)) this.rtc.setCmos(register, value);
      };
  }

  reset(): void {
    this.onReset?.(this.resetRequested);
    // Last built, first reset, as QEMU: the interrupt controllers come after everything that drives them and forget those edges.
    for (let i = this.devices.length - 1; i >= 0; i--) this.devices[i]!.reset();
    this.cpu.reset();
    this.cmosAtReset();
    this.resetRequested = false;
    if (this.kernel !== null) this.startKernel(this.kernel);
  }

  /** Without firmware somebody has to do what guests rely on: let the 8259A pair through the local APIC (LINT0 ExtINT, LINT1 NMI). */
  private startKernel(kernel: DirectKernel): void {
    kernel.start(this.cpu);
    for (const [register, value] of FIRMWARE_APIC) this.apic?.io.write(register, value, 4);
  }

  private makeKernel(kernel: Uint8Array): DirectKernel | null {
    const { config, memory, linux } = this;
    if (linux === null) return new MultibootKernel(config, kernel, memory);
    return config.bios === null ? new LinuxDirect(linux, config, memory, this.ports) : null;
  }

  deliver(event: AsyncEvent): boolean {
    switch (event.kind) {
      case 'input':
        this.i8042.keyboard.event(event.event);
        this.i8042.mouse.event(event.event);
        break;
      case 'input-sync':
        this.i8042.keyboard.sync();
        this.i8042.mouse.sync();
        break;
      case 'char-read':
        this.chars.receive(event.device, event.bytes);
        break;
      case 'net':
        return this.networks.receive(event.filter, event.bytes);
      case 'bh':
        if (event.id === POWER_BUTTON) this.pm?.acpi.pressPowerButton();
        break;
      default:
      // Completions of devices that this board does not have.
    }
    return true;
  }

  completeBlock(drive: number): void {
    this.ide.complete(drive);
  }

  resetDiskChannel(channel: number): void {
    this.ide.performReset(channel);
  }

  /** Parts that may be large: what the guest wrote on its disks. */
  get overlays(): Readonly<Record<string, MemoryOverlay>> {
    return this.disks.parts;
  }

  /** How many characters the guest's end of a character device takes now. */
  canReceive(device: number): number {
    return this.chars.canReceive(device);
  }

  /** CR8: the local APIC's task priority class. */
  get taskPriority(): number {
    return this.apic === null ? 0 : this.apic.tpr >> 4;
  }

  /** What is on the PCI bus. */
  pciFunctions(): readonly PciDevice[] {
    return this.bus.functions;
  }

  /** Shows what character devices have gathered. */
  flushOutputs(): void {
    this.chars.flush();
    this.sound?.flush();
  }

  close(): void {
    this.networks.close();
    this.chars.close();
    this.sound?.close();
    this.disks.close();
  }

  private add<T extends Device>(name: string, device: T): T {
    this.parts[name] = device;
    this.devices.push(device);
    return device;
  }

  private cpuBoard(): CpuBoard {
    const { session } = this;
    return {
      readPort: (port, size) => this.ports.read(port, size),
      writePort: (port, value, size) => this.ports.write(port, value, size),
      acknowledgeInterrupt: () => acknowledgeInterrupt(this.pic, this.apic),
      interruptAllowed: () => session.interruptAllowed(),
      interruptTaken: () => session.interruptTaken(),
      exceptionRaised: (vector) => session.exceptionRaised(vector),
      countedBehindTrap: (most) => session.countedBehindTrap(most),
      timestampCounter: () => this.time.nowNs(),
      random: (lengthBytes) => session.random(lengthBytes),
      readApicBase: () => this.apic?.readBase() ?? APIC_BASE_BSP,
      writeApicBase: (value) => this.apic?.writeBase(value),
      setFerr: (level) => this.irqs[FERR_IRQ]!.set(level),
      smmChanged: (active) => this.host.setSmm(active),
      pollApic: () => this.apic?.poll(),
      apicInit: () => this.apic?.initialize(),
    };
  }

  private requestReset(): void {
    this.resetRequested = true;
    this.engine.kick();
  }

  private sendMessage(address: number, data: number): void {
    this.apic?.message(address - LOCAL_APIC_BASE, data);
  }

  private makeIoApic(): IoApic {
    const ioapic = new IoApic({
      clock: this.time,
      sendMessage: (address, data) => this.sendMessage(address, data),
      acknowledgePic: () => this.pic.acknowledge(),
    });
    this.memory.mapIo(IOAPIC_BASE, IOAPIC_LENGTH, ioapic.io);
    return ioapic;
  }

  private makeLocalApic(): LocalApic {
    const apic = new LocalApic({
      clock: this.time,
      cpu: this.requests,
      picOutput: () => this.pic.output,
      broadcastEoi: (vector) => this.ioapic.endOfInterrupt(vector),
      onDisable: () => {
        this.cpu.apicVisible = false;
      },
    });
    this.memory.mapIo(LOCAL_APIC_BASE, LOCAL_APIC_LENGTH, apic.io);
    return apic;
  }

  private makePci(map: PcMemoryMap): { bus: PciBus; host: I440fx; ide: Piix3Ide; pm: Piix4Pm | null } {
    const bus = this.add('pci', new PciBus(this.ports));
    const host = new I440fx(map, this.config.memoryBytes);
    const piix3 = new Piix3({ bus, ports: this.ports, isaIrqs: this.irqs, onReset: () => this.requestReset() });
    bus.attach(0, 0, host);
    bus.attach(1, 0, piix3);
    const ide = new Piix3Ide({
      ports: this.ports,
      memory: this.memory,
      irqs: [this.irqs[14]!, this.irqs[15]!],
      drives: this.disks.devices,
      onRequest: (drive) => this.session.requestBlock(drive),
      onSoftwareReset: (channel) => this.session.requestDiskReset(channel),
    });
    bus.attach(1, 1, ide);
    const pm = this.config.acpi ? this.makePowerManagement(bus) : null;
    Object.assign(this.parts, { i440fx: host, piix3, 'piix3-ide': ide }, this.disks.parts);
    if (this.vga !== null) {
      const rom = this.config.vgabios === null ? null : readInput('--vgabios', this.config.vgabios, this.config.foundAt);
      const display = new VgaPci({ vga: this.vga, memory: this.memory, map, rom });
      bus.attach(DISPLAY_SLOT, 0, display);
      this.parts['vga-pci'] = display;
    }
    this.addNetworkCards(bus, map);
    return { bus, host, ide, pm };
  }

  private makeSound(): Sound | null {
    const { config, bus, session, ports, memory } = this;
    const card = config.devices.find((d) => d.name === 'AC97');
    if (card === undefined || config.audio === undefined) return null;
    const slot = card.slot ?? null;
    if (slot !== null && bus.isTaken(slot)) throw new UserError('bad-option', `--device AC97: PCI slot ${slot} is taken`);
    const sound = new Sound(config.audio, { session, ports, memory });
    bus.plug(slot, sound.card);
    Object.assign(this.parts, { ac97: sound.card, audio: sound.engine });
    return sound;
  }

  private addNetworkCards(bus: PciBus, map: PcMemoryMap): void {
    const { ports, memory, time: clock, config } = this;
    config.nics?.forEach((nic, n) => {
      const card = this.networks.makeCard(nic, { ports, memory, map, clock });
      bus.attach(nic.slot, 0, card);
      this.parts[n === 0 ? nic.model : `${nic.model}-${n}`] = card;
    });
  }

  private makePowerManagement(bus: PciBus): Piix4Pm {
    const pm = new Piix4Pm({
      clock: this.time,
      ports: this.ports,
      sci: this.irqs[SCI_IRQ]!,
      onPowerOff: () => this.session.requestShutdown('guest-shutdown'),
      onSuspend: () => {},
      onSmi: () => this.requests.raise(REQUEST_SMI),
      parallelPort: false,
      serialPorts: this.config.serial.length,
    });
    bus.attach(1, 3, pm);
    this.parts['piix4-pm'] = pm;
    const fixedSlots = this.vga === null ? [0, 1] : [0, 1, DISPLAY_SLOT];
    this.add('acpi-pci-hotplug', new AcpiPciHotplug(this.ports, ACPI_PORTS.PCI_HOTPLUG, fixedSlots));
    this.add('acpi-cpu-hotplug', new AcpiCpuHotplug(this.ports, ACPI_PORTS.CPU_HOTPLUG));
    return pm;
  }

  private makeVga(map: PcMemoryMap): Vga {
    return new Vga({
      ports: this.ports,
      memory: this.memory,
      map,
      vramOffset: this.memory.allocate(VRAM_BYTES, 'video memory'),
      vramBytes: VRAM_BYTES,
    });
  }

  private makeTimers(hostClock: SessionHostClock, dateOffsetSeconds: number): RtcMc146818 {
    const hpet = this.config.hpet ? this.makeHpet((enable) => pit.enableIrq(enable)) : null;
    const rtc = new RtcMc146818({
      ports: this.ports,
      clock: this.config.rtcClock === 'host' ? hostClock : new VirtualHostClock(this.time),
      hostClock,
      dateOffsetSeconds,
      irq: hpet === null ? this.irqs[RTC_IRQ]! : { set: (level) => hpet.setRtcInterrupt(level) },
    });
    this.add('rtc', rtc);
    configureCmos(rtc, this.config);
    for (const [register, value] of diskCmos(this.disks.devices)) rtc.setCmos(register, value);
    const pitIrq = hpet === null ? this.irqs[PIT_IRQ]! : { set: (level: boolean) => hpet.setPitInterrupt(level) };
    const pit: Pit8254 = this.add('pit', new Pit8254(this.ports, this.time, pitIrq));
    this.add('port-61', new Port61(this.ports, pit));
    return rtc;
  }

  /** The interrupts of RTC and PIT go through it. */
  private makeHpet(enablePit: (enable: boolean) => void): Hpet {
    const hpet = new Hpet({
      clock: this.time,
      irqs: this.irqs,
      routes: HPET_ROUTES,
      enablePit,
      sendMessage: (address, data) => this.sendMessage(address, data),
    });
    this.memory.mapIo(HPET_BASE, HPET_LENGTH, hpet.io);
    return this.add('hpet', hpet);
  }

  private makeI8042(): I8042 {
    const setA20 = (open: boolean): void => setA20Gate(this.cpu, open);
    this.add('port-92', new Port92(this.ports, setA20, () => this.requestReset()));
    mapPostPort(this.ports);
    mapFpuErrorPort(this.ports, () => acknowledgeFerr(this.cpu));
    return new (this.config.unlatchedI8042 ? I8042Unlatched : I8042)({
      ports: this.ports,
      keyboardIrq: this.irqs[1]!,
      mouseIrq: this.irqs[12]!,
      setA20,
      requestReset: () => this.requestReset(),
    });
  }

  private makeFirmware(map: PcMemoryMap, pm: Piix4Pm | null, describe: ((fwCfg: FwCfg) => void) | undefined): void {
    const { config } = this;
    const fwCfg = this.add('fw-cfg', new FwCfg(this.ports, this.memory));
    const acpi = describe === undefined ? describeFirmware(fwCfg, config, pm) : null;
    describe?.(fwCfg);
    if (acpi !== null) this.add('acpi-firmware', acpi);
    if (this.linux !== null && config.bios !== null) offerLinux(fwCfg, this.linux, config);
    if (config.bios !== null) loadBios(this.memory, map, readInput('--bios', config.bios, config.foundAt));
  }

  /** The picture on the display now; null without one. */
  screen(): Screen | null {
    return this.vga === null ? null : renderScreen(this.vga);
  }

  private makeSerialAndDebug(): void {
    this.config.serial.forEach((target, n) => {
      const { index, backend } = this.chars.create('--serial', target);
      const { port, irq } = COM_PORTS[n]!;
      const uart = this.add(`serial${n}`, new Uart16550({ ports: this.ports, port, irq: this.irqs[irq]!, clock: this.time, backend }));
      this.chars.connect(index, uart);
    });
    const { debugcon } = this.config;
    if (debugcon !== null) {
      const { backend } = this.chars.create('--debugcon', debugcon.target);
      for (const port of debugcon.ports) this.add(`debugcon-${port.toString(16)}`, new Debugcon(this.ports, port, backend));
    }
    for (const d of this.config.devices)
      if (d.name === 'isa-debug-exit')
        this.add('isa-debug-exit', new IsaDebugExit(this.ports, d.iobase, d.iosize, (status) => this.exit(status)));
  }

  private exit(status: number): void {
    this.exitValue = status;
    this.session.requestShutdown('guest-shutdown');
  }
}

/** Seconds between the host's date and the one the guest is to see. */
function dateOffset(base: string, startNs: bigint): number {
  return base === 'utc' ? 0 : Math.floor(Date.parse(`${base}Z`) / 1000) - Number(startNs / 1_000_000_000n);
}
