import { I440fx } from '../../devices/pci/i440fx.js';
import { PcMemoryMap } from '../../devices/pci/pc-memory-map.js';
import { PciBus } from '../../devices/pci/pci-bus.js';
import { Piix3 } from '../../devices/pci/piix3.js';
import { Piix4Pm } from '../../devices/pci/piix4-pm.js';
import type { IrqLine } from '../../src/core/bus.js';
import { VirtualTime } from '../../src/core/virtual-time.js';
import { PhysicalMemory } from '../../src/memory/physical.js';
import { PortMap } from '../../src/memory/ports.js';

/** A line that remembers its level and how often it was driven. */
export class ProbeLine implements IrqLine {
  level = false;
  sets = 0;
  set(level: boolean): void {
    this.level = level;
    this.sets++;
  }
}

/** The chipset of a PC without a processor; time stands still until `advanceTo`. `otherBytes` are for ROMs and video memory. */
export function chipset(ramBytes = 4 << 20, otherBytes = 1 << 20) {
  let nowNs = 0;
  const time = new VirtualTime(0, () => {});
  time.warpStart = null;
  time.countWith(() => nowNs);
  const ports = new PortMap();
  const memory = new PhysicalMemory(ramBytes + otherBytes);
  const ram = memory.allocate(ramBytes);
  const map = new PcMemoryMap(memory, ram, ramBytes);
  const isaIrqs = Array.from({ length: 16 }, () => new ProbeLine());
  const calls: string[] = [];
  const bus = new PciBus(ports);
  const host = new I440fx(map, ramBytes);
  const isa = new Piix3({ bus, ports, isaIrqs, onReset: () => calls.push('reset') });
  const pm = new Piix4Pm({
    ports,
    clock: time,
    sci: isaIrqs[9]!,
    onPowerOff: () => calls.push('power-off'),
    onSuspend: () => calls.push('suspend'),
    onSmi: () => calls.push('smi'),
    parallelPort: true,
    serialPorts: 1,
  });
  bus.attach(0, 0, host);
  bus.attach(1, 0, isa);
  bus.attach(1, 3, pm);
  const select = (slot: number, fn: number, at: number) =>
    ports.write(0xcf8, (0x80000000 | (slot << 11) | (fn << 8) | (at & 0xfc)) >>> 0, 4);
  return {
    time,
    ports,
    memory,
    map,
    isaIrqs,
    calls,
    bus,
    host,
    isa,
    pm,
    advanceTo(ns: number): void {
      nowNs = ns;
      for (let t = time.timers.takeDue(ns); t !== null; t = time.timers.takeDue(ns)) t.callback();
    },
    readConfig(slot: number, fn: number, at: number, size: 1 | 2 | 4): number {
      select(slot, fn, at);
      return ports.read(0xcfc + (at & 3), size);
    },
    writeConfig(slot: number, fn: number, at: number, value: number, size: 1 | 2 | 4): void {
      select(slot, fn, at);
      ports.write(0xcfc + (at & 3), value, size);
    },
  };
}
