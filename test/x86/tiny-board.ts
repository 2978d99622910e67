import { Cpu, type CpuBoard, type CpuModelName } from '../../jit/x86/cpu.js';
import { Engine, type JitMode } from '../../jit/x86/engine.js';
import type { AccessSize } from '../../src/core/bus.js';
import { PhysicalMemory } from '../../src/memory/physical.js';

/** One thing the processor told its board, with the instruction count. */
export interface BoardEvent {
  readonly kind: 'write' | 'exception' | 'interrupt';
  /** Value written, vector. */
  readonly value: number;
  readonly icount: number;
}

/** A processor with RAM, an optional 64 KiB ROM below 1 MiB and 4 GiB, and a port that records what is written to it. */
export class TinyBoard implements CpuBoard {
  readonly memory: PhysicalMemory;
  readonly cpu: Cpu;
  readonly engine: Engine;
  readonly events: BoardEvent[] = [];
  /** Vector the interrupt controller would give, taken once. */
  vector = -1;
  /** Called for every port access. */
  onPort: ((port: number, value: number | null) => number) | null = null;
  apicPolls = 0;

  constructor(options: { model?: CpuModelName; jit?: JitMode; rom?: Uint8Array; ramBytes?: number } = {}) {
    const ram = options.ramBytes ?? 0x200000;
    this.memory = new PhysicalMemory(ram + 0x10000);
    const at = this.memory.allocate(ram);
    this.memory.map(0, ram, at, at);
    const rom = options.rom;
    if (rom !== undefined) {
      const romAt = this.memory.allocate(0x10000);
      this.memory.u8.set(rom, romAt);
      this.memory.map(0xf0000, 0x10000, romAt, null);
      this.memory.map(0xffff0000, 0x10000, romAt, null);
    }
    this.cpu = new Cpu(this.memory, this, options.model ?? 'qemu32');
    this.engine = new Engine(this.cpu, { jit: options.jit ?? 'off' });
  }

  private note(kind: BoardEvent['kind'], value: number): void {
    this.events.push({ kind, value, icount: this.engine.icountNow() });
  }

  readPort(port: number, size: AccessSize): number {
    return this.onPort?.(port, null) ?? (size === 1 ? 0xff : size === 2 ? 0xffff : 0xffffffff);
  }
  writePort(port: number, value: number): void {
    if (port === 0xe9) this.note('write', value);
    else this.onPort?.(port, value);
  }
  acknowledgeInterrupt(): number {
    return this.vector;
  }
  countedBehindTrap(most: number): number {
    return most;
  }
  interruptAllowed(): boolean {
    return true;
  }
  interruptTaken(): void {
    this.note('interrupt', this.vector);
  }
  exceptionRaised(vector: number): void {
    this.note('exception', vector);
  }
  timestampCounter(): number {
    return this.engine.icountNow() * 8;
  }
  random(lengthBytes: number): Uint8Array {
    return new Uint8Array(lengthBytes).fill(0x5a);
  }
  readApicBase(): number {
    return 0xfee00900;
  }
  writeApicBase(): void {}
  setFerr(): void {}
  smmChanged(): void {}
  pollApic(): void {
    this.apicPolls++;
  }
  apicInit(): void {}
}

/** Bytes of a hexadecimal listing; blanks are ignored. */
export function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replace(/\s+/g, ''), 'hex'));
}
