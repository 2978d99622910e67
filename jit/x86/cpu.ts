import type { AccessSize } from '../../src/core/bus.js';
import type { PhysicalMemory } from '../../src/memory/physical.js';
import { REGISTER_FILE_SIZE, ZERO } from './regs.js';

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

/** Processor models: what CPUID says and which optional instructions exist. */
export type CpuModelName = 'qemu32' | 'max';

/**
 * State of one i386 processor. Hot scalars live in `r` (indices in regs.ts) so that generated code and interpreter share them;
 * operations are functions in the neighbouring files: mmu.ts, segments.ts, exceptions.ts, task.ts, system.ts, flags.ts.
 */
export class Cpu {
  readonly memory: PhysicalMemory;
  readonly board: CpuBoard;
  readonly model: CpuModelName;
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
  /** -1, or with A20 masked ~(1 << 20). */
  a20Mask = -1;

  halted = false;
  /** PAUSE or another reason to end the slice was executed. */
  exitSlice = false;
  /** REQUEST_* bits. */
  interruptRequest = 0;
  nmiMasked = false;
  smm = false;
  smbase = 0x30000;
  /** Set by anything that makes the rest of the current block stale (code written, map changed, device touched). */
  breakBlock = false;

  constructor(memory: PhysicalMemory, board: CpuBoard, model: CpuModelName) {
    this.memory = memory;
    this.board = board;
    this.model = model;
    this.r[ZERO] = 0;
  }
}
