import type { Cpu } from '../../jit/x86/cpu.js';
import { readEflags } from '../../jit/x86/flags.js';
import { EAX, EBP, EBX, ECX, EDI, EDX, EIP, ESI, ESP, SEG_BASE } from '../../jit/x86/regs.js';
import { TRACE_FIELDS, type TraceRecord } from './qemu-trace.js';

/** In QEMU's order. */
const REGISTERS = [EAX, EBX, ECX, EDX, ESI, EDI, EBP, ESP, EIP];
const SEGMENTS = 6;

/** Puts our processor's state into a record in the form of QEMU's trace. */
export function recordOf(cpu: Cpu, record: TraceRecord = new Uint32Array(TRACE_FIELDS.length)): TraceRecord {
  let k = 0;
  for (const register of REGISTERS) record[k++] = cpu.r[register]!;
  record[k++] = readEflags(cpu);
  record[k++] = cpu.cpl;
  for (let s = 0; s < SEGMENTS; s++) {
    record[k++] = cpu.selector[s]!;
    record[k++] = cpu.r[SEG_BASE + s]!;
    record[k++] = cpu.limit[s]!;
    record[k] = cpu.attributes[s]! & TRACE_FIELDS[k]!.mask;
    k++;
  }
  for (const value of [cpu.gdtBase, cpu.gdtLimit, cpu.idtBase, cpu.idtLimit, cpu.cr0, cpu.cr2, cpu.cr3, cpu.cr4]) record[k++] = value;
  return record;
}

/** Whether two records are the same. */
export function same(a: TraceRecord, b: TraceRecord): boolean {
  for (let k = 0; k < a.length; k++) if (a[k] !== b[k]) return false;
  return true;
}

/** What differs between two records, as `name: ours / QEMU's`. */
export function differences(ours: TraceRecord, theirs: TraceRecord): string[] {
  return TRACE_FIELDS.flatMap(({ name }, k) =>
    ours[k] === theirs[k] ? [] : [`${name}: ${ours[k]!.toString(16)} / ${theirs[k]!.toString(16)}`],
  );
}
