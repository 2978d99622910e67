import { Cpu, type CpuBoard } from '../../jit/x86/cpu.js';
import { decodeInsn } from '../../jit/x86/decoder.js';
import { Engine, type EngineOptions } from '../../jit/x86/engine.js';
import { setArithFlags } from '../../jit/x86/flags.js';
import { flushTlb, resolveRead, resolveWrite } from '../../jit/x86/mmu.js';
import { MODE_CS32 } from '../../jit/x86/mode.js';
import { CS, DS, EFLAGS, EIP, ES, FLAG_TF, FLAG_VM, FLAGS_ARITH, FS, GS, SS, TR } from '../../jit/x86/regs.js';
import { loadSegmentCache, updateMode } from '../../jit/x86/segments.js';
import type { StatefulPart } from '../../src/core/state.js';
import { PhysicalMemory } from '../../src/memory/physical.js';
import { CODE_START, type SegmentName, type TestCase, WINDOWS } from '../../tools/x86-gen/case.js';
import {
  BASED_BASE,
  CODE,
  CODE16_BASE,
  codeOffset,
  codeWindow,
  DATA16_BASE,
  GDT,
  IDT,
  PAGE_DIRECTORY,
  SELECTOR,
  stackSelector,
  TSS,
  writeTables,
  writeWindows,
} from '../../tools/x86-gen/image.js';

/** Who runs the case: CPL 3 or 0 with paging, real mode (with segments that reach everything), virtual-8086 mode. */
export type Privilege = 'user' | 'kernel' | 'real' | 'vm86';

/** What a case starts with besides what its generator says. */
export interface Surroundings {
  readonly privilege: Privilege;
  /** IOPL, TF: added to the case's EFLAGS. */
  readonly eflags: number;
  /** Changed bits of CR0 and CR4. */
  readonly cr0: number;
  readonly cr4: number;
  /** The TLB knows the windows before the case starts. */
  readonly warm: boolean;
  /** With paging, the first page of the windows is a device's registers. */
  readonly device: boolean;
  /** Budgets of the slices; the last one counts for the rest. */
  readonly slices: readonly number[];
}

const IVT = 0x5000;
/** One HLT each 16 bytes: the handler of every vector. */
const HANDLERS = 0x6000;
const KERNEL_STACK = 0x9e000;
const PAGE_TABLE = 0x200000;
const FX_AREA = 0x3f0000;
const DEVICE = 0x3f8000;
/** All memory there is, so that all of it can be compared: physical pages. */
const PAGES = [
  GDT,
  IDT,
  TSS,
  PAGE_DIRECTORY,
  IVT,
  HANDLERS,
  KERNEL_STACK,
  PAGE_TABLE,
  0x300000,
  0x301000,
  0x302000,
  0x303000,
  CODE,
  FX_AREA,
];
const FLAT_LIMIT = -1;
const CODE16_KERNEL = 0x48;
const DATA16_KERNEL = 0x50;
/** Selectors that are something (see `layOut`): for far transfers and segment loads. */
export const SELECTORS = [0, 8, 0x10, 0x1b, 0x23, 0x2b, 0x33, 0x3b, 0x40, 0x48, 0x50, 0x5b, 0x60, 0x68, 0x70, 0x78, 0xfff8];
/** A case that is not over after so many instructions is compared where it is. */
const MOST_INSNS = 300;

const SEGMENTS: Readonly<Record<SegmentName, readonly [selector: number, base: number, limit: number, attributes: number]>> = {
  flat: [SELECTOR.flat, 0, FLAT_LIMIT, 0xcff300],
  data16: [SELECTOR.data16, DATA16_BASE, 0xffff, 0xf300],
  based: [SELECTOR.based, BASED_BASE, FLAT_LIMIT, 0xcff300],
};

type Value = number | boolean | ArrayLike<number> | Saved;
interface Saved {
  readonly [field: string]: Value;
}

function isPart(value: unknown): value is StatefulPart {
  return typeof value === 'object' && value !== null && 'schema' in value;
}

/** Copies of all fields of the part's schema. */
function save(part: StatefulPart): Saved {
  const saved: Record<string, Value> = {};
  for (const name of Object.keys(part.schema.fields)) {
    const value: unknown = Reflect.get(part, name);
    saved[name] = isPart(value)
      ? save(value)
      : value instanceof Int32Array || value instanceof Uint32Array || value instanceof Uint8Array
        ? value.slice()
        : (value as number | boolean);
  }
  return saved;
}

function restore(part: StatefulPart, saved: Saved): void {
  for (const name in saved) {
    const value: unknown = Reflect.get(part, name);
    const from = saved[name]!;
    if (isPart(value)) restore(value, from as Saved);
    else if (value instanceof Int32Array || value instanceof Uint32Array || value instanceof Uint8Array)
      value.set(from as ArrayLike<number>);
    else Reflect.set(part, name, from);
  }
}

function compare(path: string, a: StatefulPart, b: StatefulPart, found: string[]): void {
  for (const name in a.schema.fields) {
    const [x, y]: unknown[] = [Reflect.get(a, name), Reflect.get(b, name)];
    if (isPart(x)) compare(`${path}${name}.`, x, y as StatefulPart, found);
    else if (typeof x === 'object') {
      const [v, w] = [x as ArrayLike<number>, y as ArrayLike<number>];
      for (let k = 0; k < v.length; k++)
        if (v[k] !== w[k]) found.push(`${path}${name}[${k}]: ${v[k]!.toString(16)} interpreted, ${w[k]!.toString(16)} translated`);
    } else if (x !== y) found.push(`${path}${name}: ${String(x)} interpreted, ${String(y)} translated`);
  }
}

/** A whole engine in the surroundings of the instruction judges' cases, with a handler for every vector that halts. */
export class CaseMachine {
  readonly memory = new PhysicalMemory((PAGES.length + 1) * 0x1000);
  readonly cpu: Cpu;
  engine: Engine;
  /** Exceptions, port and device accesses, each with its instruction count. */
  readonly log: string[] = [];
  private readonly options: EngineOptions;
  private readonly initialMemory: Uint8Array;
  private readonly initialState: Saved;
  private readonly backing = new Map<number, number>();
  private translatedBefore = 0;
  /** Linear memory up to the windows' end, to lay them out in. */
  private readonly windows = new Uint8Array(0x304000);

  constructor(options: EngineOptions) {
    this.options = options;
    // Everything else below 4 MiB reads as INT3, so that stray jumps end soon.
    const stray = this.memory.allocate(0x1000);
    for (let page = 0; page < DEVICE; page += 0x1000) this.memory.map(page, 0x1000, stray, null);
    this.memory.u8.fill(0xcc, stray, stray + 0x1000);
    for (const page of PAGES) {
      const at = this.memory.allocate(0x1000);
      this.backing.set(page >>> 12, at);
      this.memory.map(page & ~0xfff, 0x1000, at, at);
    }
    const note = (what: string): void => {
      this.log.push(`${this.engine.icountNow()}: ${what}`);
    };
    this.memory.mapIo(DEVICE, 0x1000, {
      name: 'test device',
      read: (offset, size) => {
        note(`load ${offset}.${size}`);
        return (offset * 0x01010101 + this.engine.icountNow()) >>> 0;
      },
      write: (offset, value, size) => note(`store ${offset}.${size} ${value}`),
    });
    const board: CpuBoard = {
      readPort: (port, size) => {
        note(`in ${port}.${size}`);
        return ((port * 0x01030507 + this.engine.icountNow()) & (size === 4 ? -1 : (1 << (8 * size)) - 1)) >>> 0;
      },
      writePort: (port, value, size) => note(`out ${port}.${size} ${value}`),
      acknowledgeInterrupt: () => -1,
      interruptAllowed: () => true,
      interruptTaken: () => note('interrupt'),
      exceptionRaised: (vector) => note(`exception ${vector}`),
      countedBehindTrap: (most) => most,
      timestampCounter: () => this.engine.icountNow() * 8,
      random: (lengthBytes) => new Uint8Array(lengthBytes).fill(0x5a),
      readApicBase: () => 0xfee00900,
      writeApicBase: (value) => note(`APIC base ${value}`),
      setFerr: (level) => note(`FERR ${level}`),
      smmChanged: () => note('SMM'),
      pollApic: () => note('poll'),
      apicInit: () => note('INIT'),
    };
    this.cpu = new Cpu(this.memory, board, 'max');
    this.engine = new Engine(this.cpu, options);
    this.layOut();
    this.initialMemory = this.memory.u8.slice();
    this.initialState = save(this.cpu);
  }

  /** Functions translated so far. */
  get translated(): number {
    return this.translatedBefore + (this.engine.translations?.statistics.translated ?? 0);
  }

  private layOut(): void {
    const scratch = new Uint8Array(4 << 20);
    const dv = new DataView(scratch.buffer);
    writeTables(scratch, HANDLERS);
    const more: readonly (readonly [number, number, number])[] = [
      [CODE16_KERNEL, (CODE16_BASE << 16) | 0xffff, (CODE16_BASE >>> 16) | 0x9b00],
      [DATA16_KERNEL, (DATA16_BASE << 16) | 0xffff, (DATA16_BASE >>> 16) | 0x9300],
      // Call gate for CPL 3 to a handler; LDT; a task gate to the busy TSS; a segment that is not present; a conforming code segment.
      [0x58, (8 << 16) | (HANDLERS + 0x800), 0xec00],
      [0x60, (GDT << 16) | 0x7f, 0x8200],
      [0x68, 0x40 << 16, 0xe500],
      [0x70, 0xffff, 0xcf7300],
      [0x78, 0xffff, 0xcf9f00],
    ];
    for (const [selector, low, high] of more) {
      dv.setInt32(GDT + selector, low, true);
      dv.setInt32(GDT + selector + 4, high, true);
    }
    scratch.fill(0xf4, HANDLERS, HANDLERS + 0x1000);
    for (let vector = 0; vector < 256; vector++) dv.setInt32(IVT + 4 * vector, ((HANDLERS >> 4) << 16) | (vector * 16), true);
    for (const [page, at] of this.backing) this.memory.u8.set(scratch.subarray(page << 12, (page + 1) << 12), at);
    const { cpu } = this;
    cpu.gdtBase = GDT;
    cpu.gdtLimit = 0x7f;
    cpu.trBase = TSS;
    cpu.selector[TR] = 0x40;
    cpu.limit[TR] = 0x67;
    cpu.attributes[TR] = 0x8900;
  }

  private writeLinear(address: number, bytes: Uint8Array): void {
    const at = this.backing.get(address >>> 12)! + (address & 0xfff);
    this.memory.u8.set(bytes, at);
  }

  /** Forgets translations and decoded code now and then, as pages whose code changes too often are not translated. */
  renew(): void {
    this.translatedBefore = this.translated;
    this.memory.codePage.fill(0);
    this.engine = new Engine(this.cpu, this.options);
  }

  load(c: TestCase, s: Surroundings): void {
    const { cpu, memory } = this;
    for (let page = 0; page < memory.codePage.length; page++) {
      const range = [page << 12, (page + 1) << 12] as const;
      const handlers = this.backing.get(HANDLERS >>> 12)! === range[0];
      // Handlers keep their translations, unless the case wrote there.
      if (
        memory.codePage[page] !== 0 &&
        !(handlers && Buffer.compare(memory.u8.subarray(...range), this.initialMemory.subarray(...range)) === 0)
      )
        memory.onCodeWrite?.(page);
    }
    memory.u8.set(this.initialMemory);
    const { windows } = this;
    writeWindows(windows, c.memory);
    for (const { address } of WINDOWS) this.writeLinear(address & ~0xfff, windows.subarray(address & ~0xfff, (address | 0xfff) + 1));
    this.writeLinear(CODE, codeWindow(c));
    if (s.device) this.writeLinear(PAGE_TABLE + (WINDOWS[0].address >>> 12) * 4, Uint8Array.of(7, (DEVICE >>> 8) & 0xff, DEVICE >>> 16, 0));
    restore(cpu, this.initialState);
    flushTlb(cpu);
    this.loadFx(c);
    this.loadRegisters(c, s);
    flushTlb(cpu);
    if (s.warm && s.privilege !== 'real') {
      for (const laddr of [0x300000, 0x301000]) {
        resolveRead(cpu, laddr, cpu.cpl === 3);
        resolveWrite(cpu, laddr, cpu.cpl === 3);
      }
    }
    cpu.breakBlock = cpu.exitSlice = false;
    cpu.watchpointHit = 0;
    this.engine.setIcount(0);
    this.log.length = 0;
  }

  /** FXRSTOR, in real mode with a flat DS. */
  private loadFx(c: TestCase): void {
    const { cpu } = this;
    cpu.fpu.afterRestore();
    if (c.fx === null) return;
    this.writeLinear(FX_AREA, c.fx);
    cpu.cr4 = 0x600;
    loadSegmentCache(cpu, DS, 0, 0, FLAT_LIMIT, 0x9300);
    updateMode(cpu);
    const insn = decodeInsn(Uint8Array.from([0x0f, 0xae, 0x0d, 0, 0, FX_AREA >> 16, 0]), 0, cpu.mode | MODE_CS32);
    insn.exec(cpu, insn);
  }

  private loadRegisters(c: TestCase, s: Surroundings): void {
    const { cpu } = this;
    const { privilege } = s;
    cpu.cr0 = (privilege === 'real' ? 0x32 : 0x80000033) ^ s.cr0;
    cpu.cr3 = PAGE_DIRECTORY;
    cpu.cr4 = 0x600 ^ s.cr4;
    cpu.idtBase = privilege === 'real' ? IVT : IDT;
    cpu.idtLimit = privilege === 'real' ? 0x3ff : 0xff;
    cpu.cpl = privilege === 'user' || privilege === 'vm86' ? 3 : 0;
    cpu.r.set(c.regs);
    const eflags = c.eflags | s.eflags | (privilege === 'vm86' ? FLAG_VM : 0);
    cpu.r[EFLAGS] = eflags & ~FLAGS_ARITH;
    setArithFlags(cpu, eflags);
    cpu.r[EIP] = codeOffset(c) + CODE_START;
    const code32 = c.mode === 'cs32' || c.mode === 'cs32ss16';
    const dpl = cpu.cpl << 13;
    const kernel = privilege === 'kernel';
    const codeSelector = kernel ? (code32 ? 8 : CODE16_KERNEL) : code32 ? SELECTOR.code32 : SELECTOR.code16;
    loadSegmentCache(cpu, CS, codeSelector, code32 ? 0 : CODE16_BASE, code32 ? FLAT_LIMIT : 0xffff, (code32 ? 0xcf9b00 : 0x9b00) | dpl);
    const [selector, base, limit, attributes] = SEGMENTS[stackSelector(c) === SELECTOR.flat ? 'flat' : 'data16'];
    const stack = kernel ? (base === 0 ? 0x10 : DATA16_KERNEL) : selector;
    loadSegmentCache(cpu, SS, stack, base, limit, (attributes & ~0x6000) | dpl);
    [DS, ES, FS, GS].forEach((seg, k) => {
      loadSegmentCache(cpu, seg, ...SEGMENTS[c.segments[k]!]);
    });
    updateMode(cpu);
  }

  /** Runs the loaded case until it halts (every exception does), triple faults or has executed enough; how it ended. */
  run(s: Surroundings): string {
    const { engine } = this;
    const ends: string[] = [];
    for (let k = 0; engine.icount < MOST_INSNS && k < MOST_INSNS; k++) {
      const budget = s.slices[Math.min(k, s.slices.length - 1)]!;
      const end = engine.run(Math.min(budget, MOST_INSNS - engine.icount));
      ends.push(`${end} at ${engine.icount}, EIP ${this.cpu.r[EIP]!.toString(16)}`);
      if (end === 'halt' || end === 'shutdown') break;
    }
    return ends.join('; ');
  }
}

/** Everything in which two machines differ after the same case. */
export function machineDifferences(a: CaseMachine, b: CaseMachine): string[] {
  const found: string[] = [];
  compare('', a.cpu, b.cpu, found);
  if (a.cpu.mode !== b.cpu.mode) found.push(`mode: ${a.cpu.mode} interpreted, ${b.cpu.mode} translated`);
  if (a.engine.icount !== b.engine.icount) found.push(`icount: ${a.engine.icount} interpreted, ${b.engine.icount} translated`);
  if (a.log.join('\n') !== b.log.join('\n')) found.push(`log: ${a.log.join(', ')} interpreted, ${b.log.join(', ')} translated`);
  if (Buffer.compare(a.memory.u8, b.memory.u8) !== 0) {
    a.memory.u8.forEach((v, k) => {
      const w = b.memory.u8[k]!;
      if (v !== w)
        found.push(
          `[${((PAGES[(k >>> 12) - 1]! & ~0xfff) + (k & 0xfff)).toString(16)}]: ${v.toString(16)} interpreted, ${w.toString(16)} translated`,
        );
    });
  }
  return found;
}

/** Single step, for some cases. */
export const TRAP = FLAG_TF;
