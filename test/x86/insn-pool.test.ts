// Oracle: reference engine (the decoder: what is shared must be what it decodes)
import { expect, test } from 'vitest';
import { decodeInsn } from '../../jit/x86/decoder.js';
import { InsnPool } from '../../jit/x86/insn-pool.js';
import { MODE_CS32 } from '../../jit/x86/mode.js';

const SEED = 20261121;

/** Bytes out of few, so that many instructions come again, and many differ in one field only. */
function* randomBytes(count: number): Generator<Uint8Array> {
  const alphabet = [0x00, 0x01, 0x0f, 0x40, 0x66, 0x67, 0x80, 0x81, 0x83, 0x88, 0x89, 0x8b, 0x8f, 0xa4, 0xb6, 0xc1, 0xd8, 0xf0, 0xf3, 0xff];
  let state = SEED;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 16;
  };
  for (let k = 0; k < count; k++) yield Uint8Array.from({ length: 32 }, () => alphabet[next() % alphabet.length]!);
}

test(`an instruction from the pool is what was decoded, field by field (seed ${SEED})`, () => {
  const pool = new InsnPool();
  let shared = 0;
  for (const bytes of randomBytes(40_000)) {
    const mode = (bytes[31]! & 1) === 0 ? MODE_CS32 : 0;
    const decoded = decodeInsn(bytes, 0, mode);
    const found = pool.shared(decoded);
    if (found === decoded) continue;
    shared++;
    const { exec: one, ...rest } = decoded;
    const { exec: other, ...known } = found;
    const differs = (Object.keys(rest) as (keyof typeof rest)[]).find((field) => rest[field] !== known[field]);
    if (differs !== undefined)
      expect.fail(`${Buffer.from(bytes).toString('hex')}: ${differs} is ${known[differs]}, decoded ${rest[differs]}`);
    // Executors may be made anew for each instruction, from its fields.
    if (other.toString() !== one.toString()) expect.fail(`${Buffer.from(bytes).toString('hex')}: another executor`);
  }
  expect(shared).toBeGreaterThan(4_000);
});
