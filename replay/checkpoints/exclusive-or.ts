const scratch = new Uint32Array(1024);
const scratchBytes = new Uint8Array(scratch.buffer);

/**
 * A content as what differs from another one (bitwise exclusive or), or back.
 * @param a,b of equal length, a multiple of 4096; any alignment
 * @returns fresh bytes, and how many of their 32-bit words are not 0
 */
export function exclusiveOr(a: Uint8Array, b: Uint8Array): { readonly bytes: Uint8Array; readonly words: number } {
  const bytes = new Uint8Array(a.length);
  bytes.set(a);
  const target = new Uint32Array(bytes.buffer);
  let words = 0;
  for (let at = 0; at < target.length; at += scratch.length) {
    scratchBytes.set(b.subarray(4 * at, 4 * (at + scratch.length)));
    for (let k = 0; k < scratch.length; k++) {
      const word = (target[at + k]! ^ scratch[k]!) | 0;
      target[at + k] = word;
      if (word !== 0) words++;
    }
  }
  return { bytes, words };
}
