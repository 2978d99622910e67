import type { AccessSize } from '../../src/core/bus.js';
import type { Device, StateSchema } from '../../src/core/state.js';
import type { PhysicalMemory } from '../../src/memory/physical.js';
import { cpuidVersion } from './cpuid.js';
import { Fpu } from './fpu.js';
import { flushTlb } from './mmu.js';
import { MODE_INHIBIT } from './mode.js';
import { initialiseMsrs, MSR_SLOTS, powerUpMsrs, resetMsrs } from './msr.js';
import { CS, EDX, EFLAGS, EIP, LDTR, LEFT, REGISTER_FILE_SIZE, TR, ZERO } from './regs.js';
import { loadSegmentCache, updateMode } from './segments.js';
import { SseState } from './sse-state.js';
import type { WatchTable } from './watch-table.js';

/** Bits of Cpu.interruptRequest: what waits to be taken at the next block boundary. */
export const REQUEST_HARD = 1;
export const REQUEST_NMI = 2;
export const REQUEST_SMI = 4;
export const REQUEST_INIT = 8;
export const REQUEST_SIPI = 16;
/** APIC re-evaluation: consumed one per boundary, never logged. */
export const REQUEST_POLL = 32;

/** What the CPU needs from the board around it. */
export interface CpuBoard {
  readPort(port: number, size: AccessSize): number;
  writePort(port: number, value: number, size: AccessSize): void;
  /** INTA cycle: the vector to deliver, or -1 if the request went away. */
  acknowledgeInterrupt(): number;
  /** Interrupt requests of this kind may be taken now (replay: only when the log says so). */
  interruptAllowed(): boolean;
  /** A request was taken and delivered (logged; polls are not reported). */
  interruptTaken(): void;
  /** A synchronous exception reached the CPU loop with this vector; called before delivery, with the counter as the log sees it. */
  exceptionRaised(vector: number): void;
  /** How many instructions behind the running one its trap counts: `most` by the blocks and the budget there are. */
  countedBehindTrap(most: number): number;
  /** RDTSC: virtual nanoseconds. */
  timestampCounter(): number;
  random(lengthBytes: number): Uint8Array;
  /** IA32_APIC_BASE and CR8/TPR live in the local APIC. */
  readApicBase(): number;
  writeApicBase(value: number): void;
  /** FERR#: an unmasked x87 error with CR0.NE clear (IRQ 13). */
  setFerr(level: boolean): void;
  /** Entering or leaving SMM switches the SMRAM view. */
  smmChanged(active: boolean): void;
  /** POLL request: let the local APIC look again at its pending interrupts. */
  pollApic(): void;
  /** INIT and SIPI side effects in the local APIC. */
  apicInit(): void;
}

/** Who wants to hear of data accesses: a debugger's watchpoints, or who finds out which bytes of busy pages are touched. */
export interface DataWatcher {
  /** Not 0: accesses to the page of a linear address take the slow path, but for those that the WatchTable excepts in this slot. */
  slotOf(laddr: number): number;
  /** An access that takes the slow path is about to be made, by an instruction or a delivery. */
  accessed(cpu: Cpu, laddr: number, size: number, write: boolean): void;
  /** The same of several at once, which together touch these bytes of a page; false: they must be made one by one. */
  accessedAll(laddr: number, bytes: number, write: boolean): boolean;
}

/** Processor models: what CPUID says and which optional instructions exist. */
export type CpuModelName = 'qemu32' | 'max';

/** Who must know about stores to memory that holds decoded code: the block cache. */
export interface CodeWatcher {
  /** `size` bytes at backing address `backing` (inside one page whose codePage mark is set) are about to be written by the CPU. */
  storeTo(backing: number, size: number): void;
}

const PAGES = 1 << 20;

/** One page-indexed software TLB; see mmu.ts for the meaning of an entry. */
function newTlb(): Int32Array {
  return new Int32Array(PAGES).fill(-1);
}

/**
 * State of one i386 processor. Hot scalars live in `r` (indices in regs.ts) so that generated code and interpreter share them;
 * operations are functions in the neighbouring files: mmu.ts, segments.ts, exceptions.ts, task.ts, smm.ts, flags.ts.
 */
export class Cpu implements Device {
  readonly schema: StateSchema = {
    name: 'i386',
    version: 1,
    fields: {
      r: 'i32s',
      cpl: 'u8',
      selector: 'i32s',
      limit: 'i32s',
      attributes: 'i32s',
      ldtrBase: 'i32',
      trBase: 'i32',
      gdtBase: 'i32',
      gdtLimit: 'i32',
      idtBase: 'i32',
      idtLimit: 'i32',
      cr0: 'i32',
      cr2: 'i32',
      cr3: 'i32',
      cr4: 'i32',
      dr: 'i32s',
      msr: 'u32s',
      a20Mask: 'i32',
      halted: 'bool',
      interruptRequest: 'u8',
      inhibitInterrupts: 'bool',
      nmiMasked: 'bool',
      smm: 'bool',
      smmInsideNmi: 'bool',
      smbase: 'i32',
      smiCount: 'u32',
      apicVisible: 'bool',
      oldException: 'i32',
      fpu: 'part',
      sse: 'part',
    },
  };

  readonly memory: PhysicalMemory;
  /** The backing bytes of `memory`, one load nearer. */
  readonly dv: DataView;
  readonly board: CpuBoard;
  readonly model: CpuModelName;
  /** The board has a local APIC. */
  apicPresent = true;
  /** CPUID leaf 1 reports it: not after IA32_APIC_BASE switched it off, nor after a reset then, as in QEMU. */
  apicVisible = true;
  readonly r = new Int32Array(REGISTER_FILE_SIZE);
  /** EIP of the instruction being executed. */
  insnEip = 0;
  /** MODE_* bits (mode.ts). */
  mode = 0;
  cpl = 0;

  /** Segment registers by ES..GS, LDTR, TR: selector, limit (bytes, after granularity), attributes (descriptor bits 8-23 as in the high dword). */
  readonly selector = new Int32Array(8);
  readonly limit = new Int32Array(8);
  readonly attributes = new Int32Array(8);
  /** Bases of LDTR and TR (the six others are in r). */
  ldtrBase = 0;
  trBase = 0;
  gdtBase = 0;
  gdtLimit = 0;
  idtBase = 0;
  idtLimit = 0;

  cr0 = 0;
  cr2 = 0;
  cr3 = 0;
  cr4 = 0;
  readonly dr = new Int32Array(8);
  /** x87 and, aliased to its significands, MMX registers. */
  readonly fpu = new Fpu();
  /** XMM registers and MXCSR. */
  readonly sse = new SseState();
  /** Model-specific registers, low and high half by slot (msr.ts). */
  readonly msr = new Uint32Array(2 * MSR_SLOTS);
  /** -1, or with A20 masked ~(1 << 20). */
  a20Mask = -1;

  halted = false;
  /** PAUSE or another reason to end the slice was executed. */
  exitSlice = false;
  /** REQUEST_* bits. */
  interruptRequest = 0;
  nmiMasked = false;
  smm = false;
  /** NMIs were masked before the SMI too: RSM leaves them masked. */
  smmInsideNmi = false;
  smbase = 0x30000;
  /** IA32_SMI_COUNT. */
  smiCount = 0;
  /** The exception being delivered, for the double fault rules (SDM Vol. 3A table 6-5); -1: none. */
  oldException = -1;
  /** Set by anything that makes the rest of the current block stale (code written, map changed, device touched). */
  breakBlock = false;
  /** A data breakpoint was hit by the running instruction: #DB behind it. */
  watchpointHit = 0;

  // Software TLBs (mmu.ts): [read, write, execute] for supervisor and for user accesses; the current data ones by CPL.
  readonly supervisorRead = newTlb();
  readonly supervisorWrite = newTlb();
  readonly supervisorExecute = newTlb();
  readonly userRead = newTlb();
  readonly userWrite = newTlb();
  readonly userExecute = newTlb();
  tlbRead = this.supervisorRead;
  tlbWrite = this.supervisorWrite;
  /** Linear page numbers with an entry in any TLB, so that a flush need not touch the others. */
  readonly tlbFilled = new Int32Array(1 << 14);
  tlbFilledCount = 0;
  /** How often a page got the fast path: an access that took the slow one before need not do so again. */
  fastPaths = 0;
  /** A page of 2 or 4 MiB has entries: INVLPG flushes everything, as QEMU does. */
  tlbHasLargePage = false;
  /** Linear page + 1 through which a backing page was last entered for writing; -1: several. */
  readonly writeMapped: Int32Array;
  /** By linear page: 1 when something may have been written through it since the marks were cleared, just before a `watchWrites`. */
  readonly linearWritten = new Uint8Array(1 << 20);
  /** By linear page: 1 when something may have been read through it since `watchReads`; where something was written (`linearWritten`), it may be 0 nevertheless. */
  readonly linearRead = new Uint8Array(1 << 20);
  /** How often what linear addresses mean was changed. */
  mapChanges = 0;
  codeWatcher: CodeWatcher | null = null;
  /** Null: nobody watches data. */
  watcher: DataWatcher | null = null;
  /** Null: generated code is left at every access to a watched page. */
  watchTable: WatchTable | null = null;

  constructor(memory: PhysicalMemory, board: CpuBoard, model: CpuModelName) {
    this.memory = memory;
    this.dv = memory.dv;
    this.writeMapped = new Int32Array(memory.codePage.length);
    this.board = board;
    this.model = model;
    this.r[ZERO] = 0;
    powerUpMsrs(this);
    this.reset();
  }

  /** The interrupt shadow, as a field of its own in the saved state. */
  get inhibitInterrupts(): boolean {
    return (this.mode & MODE_INHIBIT) !== 0;
  }

  set inhibitInterrupts(on: boolean) {
    this.mode = on ? this.mode | MODE_INHIBIT : this.mode & ~MODE_INHIBIT;
  }

  /** RESET#: SDM Vol. 3A table 9-1, undefined registers as QEMU has them. */
  reset(): void {
    this.fpu.reset();
    this.sse.reset();
    resetMsrs(this);
    this.smbase = 0x30000;
    this.smiCount = 0;
    this.initialise();
  }

  /** INIT#: what RESET# does, except to x87, MMX and SSE state, SMBASE and most model-specific registers (QEMU keeps the same). */
  initialise(): void {
    const r = this.r;
    // Not the budget: QEMU 7.2 clears its own too, counts the rest of the slice as executed, and cannot replay that.
    r.fill(0, 0, LEFT);
    r.fill(0, LEFT + 1);
    this.mode = 0;
    this.cr0 = 0x60000010;
    this.cr2 = this.cr3 = this.cr4 = 0;
    this.dr.fill(0);
    this.dr[6] = 0xffff0ff0 | 0;
    this.dr[7] = 0x400;
    this.a20Mask = -1;
    this.halted = this.exitSlice = this.breakBlock = false;
    this.watchpointHit = 0;
    this.interruptRequest = 0;
    this.nmiMasked = this.smmInsideNmi = false;
    if (this.smm) {
      this.smm = false;
      this.board.smmChanged(false);
    }
    this.oldException = -1;
    this.gdtBase = this.idtBase = this.ldtrBase = this.trBase = 0;
    this.gdtLimit = this.idtLimit = 0xffff;
    this.resetSystemSegment(LDTR, 0x8200);
    this.resetSystemSegment(TR, 0x8b00);
    for (let s = 0; s < 6; s++) loadSegmentCache(this, s, 0, 0, 0xffff, 0x9300);
    loadSegmentCache(this, CS, 0xf000, 0xffff0000 | 0, 0xffff, 0x9b00);
    r[EIP] = 0xfff0;
    r[EDX] = cpuidVersion(this.model);
    r[EFLAGS] = 2;
    initialiseMsrs(this);
    flushTlb(this);
    updateMode(this);
  }

  private resetSystemSegment(index: number, attributes: number): void {
    this.selector[index] = 0;
    this.limit[index] = 0xffff;
    this.attributes[index] = attributes;
  }

  afterRestore(): void {
    this.breakBlock = this.exitSlice = false;
    this.watchpointHit = 0;
    flushTlb(this);
    updateMode(this);
  }
}
