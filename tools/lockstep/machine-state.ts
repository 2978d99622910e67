import type { Cpu } from '../../jit/x86/cpu.js';
import { readEflags } from '../../jit/x86/flags.js';
import { EIP, SEG_BASE } from '../../jit/x86/regs.js';
import type { TraceRecord } from './qemu-trace.js';

const u = (v: number): number => v >>> 0;
/** QEMU shows the limit's upper bits among the attributes; the limit is compared by itself. */
const ATTRIBUTES = 0xf0ff00;

/** Our processor in the form of QEMU's trace. */
export function recordOf(cpu: Cpu): TraceRecord {
  return {
    registers: Array.from(cpu.r.subarray(0, 8), u),
    eip: u(cpu.r[EIP]!),
    eflags: u(readEflags(cpu)),
    cpl: cpu.cpl,
    segments: [0, 1, 2, 3, 4, 5].map((s) => [cpu.selector[s]!, u(cpu.r[SEG_BASE + s]!), u(cpu.limit[s]!), cpu.attributes[s]! & ATTRIBUTES]),
    tables: [u(cpu.gdtBase), cpu.gdtLimit, u(cpu.idtBase), cpu.idtLimit],
    control: [u(cpu.cr0), u(cpu.cr2), u(cpu.cr3), u(cpu.cr4)],
  };
}

const REGISTERS = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi'];
const SEGMENTS = ['es', 'cs', 'ss', 'ds', 'fs', 'gs'];
const TABLES = ['gdt base', 'gdt limit', 'idt base', 'idt limit'];
const CONTROL = ['cr0', 'cr2', 'cr3', 'cr4'];

/** What differs between two records, as `name: ours / QEMU's`. */
export function differences(ours: TraceRecord, theirs: TraceRecord): string[] {
  const found: string[] = [];
  const compare = (name: string, a: number, b: number): void => {
    if (a !== b) found.push(`${name}: ${a.toString(16)} / ${b.toString(16)}`);
  };
  compare('eip', ours.eip, theirs.eip);
  compare('eflags', ours.eflags, theirs.eflags);
  compare('cpl', ours.cpl, theirs.cpl);
  REGISTERS.forEach((name, i) => {
    compare(name, ours.registers[i]!, theirs.registers[i]!);
  });
  SEGMENTS.forEach((name, i) => {
    ['selector', 'base', 'limit', 'attributes'].forEach((part, k) => {
      compare(`${name} ${part}`, ours.segments[i]![k]!, theirs.segments[i]![k]!);
    });
  });
  TABLES.forEach((name, i) => {
    compare(name, ours.tables[i]!, theirs.tables[i]!);
  });
  CONTROL.forEach((name, i) => {
    compare(name, ours.control[i]!, theirs.control[i]!);
  });
  return found;
}
