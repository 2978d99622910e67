import { MODE_CS32, MODE_PE, MODE_SS32 } from '../../jit/x86/mode.js';

/**
 * One test case of the instruction judges: a machine state and a few bytes of code. It is run by QEMU (runner.asm), by the host CPU
 * (host-runner.c) or by us (interpreter.ts); each gives an Outcome, which must be the same.
 */

/** Code segment, stack segment and addressing the code runs in. All run with CPL 3 and paging on. */
export type CodeMode = 'cs32' | 'cs16' | 'cs32ss16' | 'cs16ss32';

/** Offset in the code window where a case's code starts: room for jumps backwards. */
export const CODE_START = 48;
/** Bytes of code visible to a case; all but the code are INT3, on which a case ends. */
export const CODE_WINDOW = 128;

/**
 * The parts of memory a case starts with and is compared by, as linear addresses: across a page border; up to a page that is not present;
 * at the start of a page that may only be read.
 */
export const WINDOWS = [
  { address: 0x300f80, bytes: 256 },
  { address: 0x301f80, bytes: 128 },
  { address: 0x303000, bytes: 128 },
] as const;
export const WINDOW_BYTES = 512;
export const FX_BYTES = 512;

/** Segment registers a case can have, by name of the descriptor. */
export type SegmentName = 'flat' | 'data16' | 'based';

export interface TestCase {
  /** What it is, for messages: mnemonic and disassembly or bytes. */
  readonly name: string;
  readonly mode: CodeMode;
  /** At most CODE_WINDOW - CODE_START - 1 bytes. */
  readonly code: Uint8Array;
  /** EAX ECX EDX EBX ESP EBP ESI EDI. */
  readonly regs: Int32Array;
  /** IF, TF, VM, IOPL, RF must be clear, bit 1 set. */
  readonly eflags: number;
  /** DS ES FS GS. */
  readonly segments: readonly [SegmentName, SegmentName, SegmentName, SegmentName];
  /** Contents of the windows, one after the other. */
  readonly memory: Uint8Array;
  /** FXSAVE image to load before and to compare after; null: x87 and SSE state do not matter. */
  readonly fx: Uint8Array | null;
}

/** MODE_* bits that decide how a case's code is decoded. */
export function caseMode(c: TestCase): number {
  const code32 = c.mode === 'cs32' || c.mode === 'cs32ss16';
  const stack32 = c.mode === 'cs32' || c.mode === 'cs16ss32';
  return MODE_PE | (code32 ? MODE_CS32 : 0) | (stack32 ? MODE_SS32 : 0);
}

export interface Outcome {
  readonly regs: Int32Array;
  readonly eflags: number;
  /** Offset in the code window: of the INT3 the case ended on, or of the faulting instruction. */
  readonly eip: number;
  /** 3: ended on an INT3; otherwise the exception. */
  readonly vector: number;
  readonly errorCode: number;
  /** For #PF, else 0. */
  readonly cr2: number;
  readonly memory: Uint8Array;
  readonly fx: Uint8Array | null;
}

const REG_NAMES = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi'];

function hex(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0');
}

/** What differs between two outcomes, one line each; flags in `ignoredFlags` do not count. */
export function differences(expected: Outcome, found: Outcome, ignoredFlags = 0): string[] {
  const lines: string[] = [];
  const say = (what: string, e: number, f: number): void => {
    if (e !== f) lines.push(`${what}: expected ${hex(e)}, found ${hex(f)}`);
  };
  say('vector', expected.vector, found.vector);
  say('error code', expected.errorCode, found.errorCode);
  say('cr2', expected.cr2, found.cr2);
  say('eip', expected.eip, found.eip);
  for (let n = 0; n < 8; n++) say(REG_NAMES[n]!, expected.regs[n]!, found.regs[n]!);
  say('eflags', expected.eflags & ~ignoredFlags, found.eflags & ~ignoredFlags);
  let at = 0;
  for (const window of WINDOWS) {
    for (let k = 0; k < window.bytes; k++, at++) say(`[${hex(window.address + k)}]`, expected.memory[at]!, found.memory[at]!);
  }
  if (expected.fx !== null && found.fx !== null) {
    for (let k = 0; k < 416; k++) say(`fx+${k}`, expected.fx[k]!, found.fx[k]!);
  }
  return lines;
}

/** The case as text, for messages. */
export function describeCase(c: TestCase): string {
  const bytes = Array.from(c.code, (b) => b.toString(16).padStart(2, '0')).join(' ');
  const regs = Array.from(c.regs, (v, n) => `${REG_NAMES[n]}=${hex(v)}`).join(' ');
  return `${c.name} [${c.mode}] ${bytes}\n  ${regs} eflags=${hex(c.eflags)} segments=${c.segments.join(',')}`;
}
