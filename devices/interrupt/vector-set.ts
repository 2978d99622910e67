/** 256 vectors as eight 32-bit registers (IRR, ISR, TMR of a local APIC). */

export function hasVector(set: Uint32Array, vector: number): boolean {
  return (set[vector >> 5]! & (1 << (vector & 31))) !== 0;
}

export function addVector(set: Uint32Array, vector: number): void {
  set[vector >> 5]! |= 1 << (vector & 31);
}

export function removeVector(set: Uint32Array, vector: number): void {
  set[vector >> 5]! &= ~(1 << (vector & 31));
}

/** The highest vector in the set, or -1. */
export function highestVector(set: Uint32Array): number {
  for (let word = 7; word >= 0; word--) if (set[word] !== 0) return word * 32 + 31 - Math.clz32(set[word]!);
  return -1;
}
