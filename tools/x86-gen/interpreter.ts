import { Cpu, type CpuBoard, type CpuModelName } from '../../jit/x86/cpu.js';
import { decodeInsn } from '../../jit/x86/decoder.js';
import { BP, DB, GP, guestFault, OF } from '../../jit/x86/fault.js';
import { readEflags, setArithFlags } from '../../jit/x86/flags.js';
import type { Insn } from '../../jit/x86/insn.js';
import { resolveExecute } from '../../jit/x86/mmu.js';
import { MODE_TF } from '../../jit/x86/mode.js';
import { CS, DS, EAX, EFLAGS, EIP, ES, FLAGS_ARITH, FS, GS, LEFT, SEG_BASE, SS, TR } from '../../jit/x86/regs.js';
import { loadSegmentCache, updateMode } from '../../jit/x86/segments.js';
import { PhysicalMemory } from '../../src/memory/physical.js';
import { CODE_START, type Outcome, type SegmentName, type TestCase } from './case.js';
import {
  BASED_BASE,
  CODE,
  CODE16_BASE,
  codeOffset,
  codeSelector,
  codeWindow,
  comparableFlags,
  DATA16_BASE,
  GDT,
  PAGE_DIRECTORY,
  readWindows,
  SELECTOR,
  stackSelector,
  TSS,
  writeTables,
  writeWindows,
} from './image.js';

const RAM_BYTES = 4 << 20;
/** Physical and linear address (supervisor only) of the FXSAVE image on our side. */
const FX_AREA = 0x3f0000;
const FLAT_LIMIT = 0xffffffff | 0;
const SEGMENTS: Readonly<Record<SegmentName, readonly [selector: number, base: number, limit: number, attributes: number]>> = {
  flat: [SELECTOR.flat, 0, FLAT_LIMIT, 0xcff300],
  data16: [SELECTOR.data16, DATA16_BASE, 0xffff, 0xf300],
  based: [SELECTOR.based, BASED_BASE, FLAT_LIMIT, 0xcff300],
};
/** Instructions one case may execute. */
const MOST_STEPS = 1000;

/** A board with nothing on it. */
const emptyBoard: CpuBoard = {
  readPort: (_port, size) => (size === 4 ? 0xffffffff : size === 2 ? 0xffff : 0xff),
  writePort: () => {},
  acknowledgeInterrupt: () => -1,
  interruptAllowed: () => false,
  interruptTaken: () => {},
  exceptionRaised: () => {},
  countedBehindTrap: (most) => most,
  timestampCounter: () => 0,
  random: (lengthBytes) => new Uint8Array(lengthBytes),
  readApicBase: () => 0xfee00000,
  writeApicBase: () => {},
  setFerr: () => {},
  smmChanged: () => {},
  pollApic: () => {},
  apicInit: () => {},
};

/** Executes one instruction that was decoded; the default calls its exec. Others: translated code. */
export type StepFunction = (cpu: Cpu, insn: Insn) => void;

/** Runs cases on our instruction table, in the state the judge's ROM makes. */
export class InterpreterJudge {
  readonly cpu: Cpu;
  private readonly ram: Uint8Array;
  private readonly step: StepFunction;
  /** The last case was given up after too many instructions. */
  endless = false;

  constructor(model: CpuModelName, step: StepFunction = (cpu, insn) => insn.exec(cpu, insn)) {
    const memory = new PhysicalMemory(RAM_BYTES);
    const offset = memory.allocate(RAM_BYTES);
    memory.map(0, RAM_BYTES, offset, offset);
    this.ram = memory.u8;
    this.step = step;
    writeTables(this.ram, 0);
    const cpu = new Cpu(memory, emptyBoard, model);
    cpu.cr0 = 0x80000033 | 0;
    cpu.cr3 = PAGE_DIRECTORY;
    cpu.cr4 = 0x600;
    cpu.gdtBase = GDT;
    cpu.gdtLimit = 0x47;
    cpu.trBase = TSS;
    cpu.selector[TR] = 0x40;
    cpu.limit[TR] = 0x67;
    cpu.attributes[TR] = 0x8900;
    this.cpu = cpu;
  }

  /** Runs a case to its INT3 or exception. `left`: LEFT while it runs (how many further REP iterations one exec may do). */
  run(c: TestCase, left = 1000): Outcome {
    const { cpu, ram } = this;
    const r = cpu.r;
    this.load(c);
    const start = codeOffset(c);
    r[EIP] = start + CODE_START;
    let vector = 3;
    let errorCode = 0;
    try {
      for (let steps = 0; ; steps++) {
        const eip = r[EIP];
        cpu.insnEip = eip;
        // Fetching is the engine's; here it is enough to fault where it would.
        const laddr = (r[SEG_BASE + CS] + eip) | 0;
        const at = resolveExecute(cpu, laddr);
        this.endless = steps === MOST_STEPS;
        if (ram[at] === 0xcc || this.endless) break;
        const traced = (cpu.mode & MODE_TF) !== 0;
        const insn = decodeInsn(ram, at, cpu.mode);
        r[EIP] = eip + insn.length;
        r[LEFT] = left;
        cpu.breakBlock = false;
        this.step(cpu, insn);
        if (traced) {
          vector = DB;
          break;
        }
      }
    } catch (e) {
      if (e !== guestFault) throw e;
      vector = guestFault.vector;
      errorCode = guestFault.errorCode;
      if (!guestFault.software) r[EIP] = cpu.insnEip;
      else if (vector === BP) r[EIP]--;
      else if (vector !== OF) {
        // INT n from CPL 3 without a gate for it (SDM Vol. 3A 6.12.1.2).
        errorCode = vector * 8 + 2;
        vector = GP;
        r[EIP] = cpu.insnEip;
      }
    }
    return {
      regs: r.slice(EAX, EAX + 8),
      eflags: comparableFlags(readEflags(cpu)),
      eip: (r[EIP] - start) | 0,
      vector,
      errorCode,
      cr2: vector === 14 ? cpu.cr2 : 0,
      memory: readWindows(ram),
      fx: c.fx === null ? null : this.saveFx(),
    };
  }

  private load(c: TestCase): void {
    const { cpu, ram } = this;
    cpu.r.set(c.regs);
    cpu.r[EFLAGS] = c.eflags & ~FLAGS_ARITH;
    setArithFlags(cpu, c.eflags);
    const code32 = codeSelector(c) === SELECTOR.code32;
    loadSegmentCache(cpu, CS, codeSelector(c), code32 ? 0 : CODE16_BASE, code32 ? FLAT_LIMIT : 0xffff, code32 ? 0xcffb00 : 0xfb00);
    const stack = SEGMENTS[stackSelector(c) === SELECTOR.flat ? 'flat' : 'data16'];
    loadSegmentCache(cpu, SS, stack[0], stack[1], stack[2], stack[3]);
    [DS, ES, FS, GS].forEach((seg, k) => {
      const s = SEGMENTS[c.segments[k]!];
      loadSegmentCache(cpu, seg, s[0], s[1], s[2], s[3]);
    });
    updateMode(cpu);
    ram.set(codeWindow(c), CODE);
    writeWindows(ram, c.memory);
    if (c.fx !== null) {
      ram.set(c.fx, FX_AREA);
      this.privileged([0x0f, 0xae, 0x0d]);
    }
  }

  private saveFx(): Uint8Array {
    this.privileged([0x0f, 0xae, 0x05]);
    return this.ram.slice(FX_AREA, FX_AREA + 512);
  }

  /** FXSAVE or FXRSTOR with a displacement of FX_AREA, at CPL 0 with a flat DS. */
  private privileged(opcode: readonly number[]): void {
    const { cpu } = this;
    const base = cpu.r[SEG_BASE + DS];
    const cpl = cpu.cpl;
    cpu.r[SEG_BASE + DS] = 0;
    cpu.cpl = 0;
    updateMode(cpu);
    const insn = decodeInsn(Uint8Array.from([...opcode, 0, 0, FX_AREA >> 16, 0]), 0, cpu.mode | 1);
    insn.exec(cpu, insn);
    cpu.r[SEG_BASE + DS] = base;
    cpu.cpl = cpl;
    updateMode(cpu);
  }
}
