import { compileScript, type Generated, print } from '../../jit/core/compile.js';
import { Cpu, type CpuBoard } from '../../jit/x86/cpu.js';
import { decodeInsn } from '../../jit/x86/decoder.js';
import { guestFault } from '../../jit/x86/fault.js';
import { materializeFlags } from '../../jit/x86/flags.js';
import type { Insn } from '../../jit/x86/insn.js';
import { CS, EIP, LEFT, REGISTER_FILE_SIZE } from '../../jit/x86/regs.js';
import { loadSegmentCache, updateMode } from '../../jit/x86/segments.js';
import { environment } from '../../jit/x86/translate/environment.js';
import { alone } from '../../jit/x86/translate/region-node.js';
import { scriptConstants } from '../../jit/x86/translate/script.js';
import { translateRegion } from '../../jit/x86/translate/translate.js';
import { PhysicalMemory } from '../../src/memory/physical.js';

/** RAM of the test machines. */
export const RAM_BYTES = 0x200000;
/** A device whose registers answer with their address, and remember writes. */
export const DEVICE_BASE = 0x180000;

const board: CpuBoard = {
  readPort: () => 0xff,
  writePort: () => {},
  acknowledgeInterrupt: () => -1,
  interruptAllowed: () => false,
  interruptTaken: () => {},
  exceptionRaised: () => {},
  countedBehindTrap: (most) => most,
  timestampCounter: () => 0,
  random: (n) => new Uint8Array(n),
  readApicBase: () => 0,
  writeApicBase: () => {},
  setFerr: () => {},
  smmChanged: () => {},
  pollApic: () => {},
  apicInit: () => {},
};

/** What came of running a block. */
export interface Outcome {
  /** Vector and error code of the guest fault that ended the run, or -1. */
  vector: number;
  errorCode: number;
}

/** A CPU with RAM and a device, and one block of code to run. */
export class TestMachine {
  readonly memory = new PhysicalMemory(RAM_BYTES);
  readonly cpu: Cpu;
  readonly deviceLog: string[] = [];

  constructor() {
    this.memory.map(0, RAM_BYTES, this.memory.allocate(RAM_BYTES), 0);
    this.memory.map(DEVICE_BASE, 0x1000, null, null);
    this.memory.mapIo(DEVICE_BASE, 0x1000, {
      name: 'test device',
      read: (offset, size) => {
        this.deviceLog.push(`read ${offset}.${size}`);
        return (offset * 0x01010101) >>> 0;
      },
      write: (offset, value, size) => {
        this.deviceLog.push(`write ${offset}.${size} ${value}`);
      },
    });
    this.cpu = new Cpu(this.memory, board, 'max');
  }

  /** Flat protected mode (or 16-bit protected mode), CPL 0 or 3. */
  protectedMode(code32: boolean, cpl: number, bases: readonly number[]): void {
    const cpu = this.cpu;
    cpu.cr0 |= 1;
    const big = code32 ? 0x400000 : 0;
    for (let s = 0; s < 6; s++)
      loadSegmentCache(cpu, s, 8 | cpl, bases[s]!, -1, (s === CS ? 0x9b00 : 0x9300) | 0x800000 | big | (cpl << 13));
    cpu.cpl = cpl;
    updateMode(cpu);
  }

  /** Identity mapping of RAM with holes: `flags` gives the low bits of each page's entry. */
  paging(table: number, flags: (page: number) => number): void {
    const dv = this.memory.dv;
    dv.setInt32(table, (table + 0x1000) | 7, true);
    for (let page = 0; page < 1024; page++) dv.setInt32(table + 0x1000 + 4 * page, (page << 12) | flags(page), true);
    this.cpu.cr3 = table;
    this.cpu.cr0 |= 0x80010000;
  }

  private step(insn: Insn, eip: number): Outcome | null {
    const { cpu } = this;
    const r = cpu.r;
    r[LEFT]!--;
    cpu.insnEip = eip;
    r[EIP] = eip + insn.length;
    try {
      insn.exec(cpu, insn);
    } catch (e) {
      return this.faulted(e);
    } finally {
      cpu.breakBlock = false;
    }
    return null;
  }

  private faulted(e: unknown): Outcome {
    if (e !== guestFault) throw e;
    const r = this.cpu.r;
    if (!guestFault.counted) r[LEFT]!++;
    if (!guestFault.software) r[EIP] = this.cpu.insnEip;
    this.cpu.breakBlock = false;
    return { vector: guestFault.vector, errorCode: guestFault.errorCode };
  }

  /** Runs the block until the budget is used up, EIP leaves it or a fault comes; with `fn`, by it whenever EIP is at the block's start. */
  run(block: TestBlock, fn: Generated | null): Outcome {
    const r = this.cpu.r;
    while (r[LEFT]! > 0) {
      const eip = r[EIP]!;
      const insn = block.at.get((eip - block.eip) | 0);
      if (insn === undefined) break;
      if (fn !== null && eip === block.eip && r[LEFT]! >= block.insns.length) {
        let stopped: number;
        try {
          stopped = fn();
        } catch (e) {
          return this.faulted(e);
        }
        this.cpu.breakBlock = false;
        if (stopped < 0) continue;
        r[EIP] = block.insns.slice(0, stopped).reduce((at, i) => at + i.length, block.eip);
        r[LEFT]! -= stopped;
        const outcome = this.step(block.insns[stopped]!, r[EIP]!);
        if (outcome !== null) return outcome;
        continue;
      }
      const outcome = this.step(insn, eip);
      if (outcome !== null) return outcome;
    }
    return { vector: -1, errorCode: 0 };
  }

  /** Registers, with the flags in their canonical form. */
  state(): number[] {
    materializeFlags(this.cpu);
    return [...this.cpu.r.subarray(0, REGISTER_FILE_SIZE), this.cpu.cr2];
  }
}

/** Decoded instructions at an address. */
export class TestBlock {
  readonly insns: Insn[] = [];
  readonly at = new Map<number, Insn>();
  readonly eip: number;
  readonly mode: number;
  readonly bytes: Uint8Array;

  constructor(bytes: readonly number[], eip: number, mode: number) {
    this.eip = eip;
    this.mode = mode;
    this.bytes = Uint8Array.from(bytes);
    const padded = Uint8Array.from([...bytes, ...new Array(16).fill(0)]);
    for (let offset = 0; offset < bytes.length; ) {
      const insn = decodeInsn(padded, offset, mode);
      this.insns.push(insn);
      this.at.set(offset, insn);
      offset += insn.length;
      if (insn.end !== 0) break;
    }
  }

  /** The block as a generated function for `cpu`. */
  compile(cpu: Cpu): Generated {
    const insns: Insn[] = [];
    const fn = translateRegion(alone(this), insns);
    return compileScript([fn], { ...environment(cpu), insns }, scriptConstants(insns))[0]!;
  }

  get text(): string {
    return print(translateRegion(alone(this), []));
  }
}
