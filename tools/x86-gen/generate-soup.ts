import { decodeInsn } from '../../jit/x86/decoder.js';
import { MODE_CS32, MODE_PE, MODE_SS32 } from '../../jit/x86/mode.js';
import { ECX } from '../../jit/x86/regs.js';
import type { TestCase } from './case.js';
import { ALL_OPTIONS, Draft } from './draft.js';
import { randomFx } from './generate-fx.js';
import type { Random } from './random.js';

/** What byte soup stays away from: results that depend on time or chance, and INT n, whose delivery is the engine's. */
function isTellable(code: readonly number[], options: SoupOptions): boolean {
  const at = code.findIndex((b) => !PREFIXES.has(b));
  const [first, second] = [code[at]!, code[at + 1]!];
  if (at < 0) return true;
  if (first === 0xcd) return false;
  if (first >= 0xd8 && first <= 0xdf) return options.fpu;
  if (first !== 0x0f) return true;
  // RDTSC, RDPMC, RDRAND and RDSEED, RDTSCP and their neighbours.
  if (second === 0x31 || second === 0x33 || second === 0xc7 || second === 0x01) return false;
  // LOCK BT, BTS, BTR, BTC of a register make QEMU 7.2 abort.
  if ([0xa3, 0xab, 0xb3, 0xbb, 0xba].includes(second) && code.indexOf(0xf0) >= 0 && code.indexOf(0xf0) < at) return false;
  // POPCNT: QEMU notices LOCK before the length.
  if (second === 0xb8) return false;
  return options.sse || !isVectorOpcode(second);
}

const PREFIXES = new Set([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3]);

/** Second opcode bytes that belong to MMX, 3DNow!, SSE and what came after. */
function isVectorOpcode(b: number): boolean {
  const ranges = [0x0f, 0x17, 0x28, 0x2f, 0x38, 0x3a, 0x50, 0x7f, 0xae, 0xae, 0xc2, 0xc6, 0xd0, 0xff];
  for (let k = 0; k < ranges.length; k += 2) if (b >= ranges[k]! && b <= ranges[k + 1]!) return true;
  return false;
}

export interface SoupOptions {
  readonly fpu: boolean;
  readonly sse: boolean;
}

/** Random bytes, prefixes first: what decodes to what, what is undefined, how long it is. */
export function generateSoup(random: Random, options: SoupOptions): TestCase {
  const draft = new Draft(random, ALL_OPTIONS);
  const prefixes = [...PREFIXES];
  draft.regs[ECX] = random.below(40);
  do {
    draft.code = [];
    const n = random.chance(3) ? 8 + random.below(9) : random.below(4);
    for (let k = 0; k < n; k++) draft.code.push(random.pick(prefixes));
    if (random.chance(40)) draft.code.push(0x0f);
    if (random.chance(8)) draft.code.push(random.pick([0x38, 0x3a]));
    for (let k = 0; k < 10; k++) draft.code.push(random.bits() & 0xff);
  } while (!isTellable(draft.code, options));
  // Only the first instruction; undefined ones keep what follows, because we do not know what would have belonged to them.
  const insn = decodeInsn(Uint8Array.from(draft.code), 0, MODE_PE | (draft.code32 ? MODE_CS32 : 0) | (draft.stack32 ? MODE_SS32 : 0));
  if (insn.row.test !== 'skip') draft.code.length = insn.length;
  if (options.fpu) draft.fx = randomFx(random, 'fpu');
  else if (options.sse) draft.fx = randomFx(random, 'sse');
  return draft.finish('bytes');
}
