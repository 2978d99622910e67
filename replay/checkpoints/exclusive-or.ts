/**
 * A content as what differs from another one (bitwise exclusive or), or back.
 * @param a,b of equal length, a multiple of 4; any alignment
 * @returns fresh bytes, and how many of their 32-bit words are not 0
 */
export function exclusiveOr(a: Uint8Array, b: Uint8Array): { readonly bytes: Uint8Array; readonly words: number } {
  const bytes = new Uint8Array(a);
  const target = new Int32Array(bytes.buffer);
  const other = wordsOf(b);
  let words = 0;
  for (let k = 0; k < target.length; k++) {
    const word = target[k]! ^ other[k]!;
    target[k] = word;
    if (word !== 0) words++;
  }
  return { bytes, words };
}

/** A copy where it is not aligned. */
function wordsOf(bytes: Uint8Array): Int32Array {
  return bytes.byteOffset % 4 === 0
    ? new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2)
    : new Int32Array(new Uint8Array(bytes).buffer);
}
