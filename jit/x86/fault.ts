/** Vector numbers, Intel SDM Vol. 3A table 6-1. */
export const DE = 0,
  DB = 1,
  NMI = 2,
  BP = 3,
  OF = 4,
  BR = 5,
  UD = 6,
  NM = 7,
  DF = 8,
  TS = 10,
  NP = 11,
  SS_FAULT = 12,
  GP = 13,
  PF = 14,
  MF = 16,
  AC = 17,
  XM = 19;

/**
 * A guest exception on its way to the engine. A value, not an Error: one preallocated object, thrown to unwind `exec`.
 */
export interface GuestFault {
  readonly isGuestFault: true;
  vector: number;
  errorCode: number;
  /**
   * QEMU decides some exceptions while translating (#UD, #NM, privilege checks, INT n, INT3): those instructions count as executed.
   * The others (memory, descriptor loads, #DE, RDTSC/MSR checks) do not count. DESIGN of counting: LOG-FORMAT 5.5.
   */
  counted: boolean;
  /** INT n, INT3, INTO: EIP pushed is that of the next instruction. */
  software: boolean;
}

export const guestFault: GuestFault = { isGuestFault: true, vector: 0, errorCode: 0, counted: false, software: false };

/** Throws a fault found while executing: the instruction does not count and EIP goes back to it. */
export function raiseFault(vector: number, errorCode = 0): never {
  guestFault.vector = vector;
  guestFault.errorCode = errorCode;
  guestFault.counted = false;
  guestFault.software = false;
  throw guestFault;
}

/** Throws a fault that QEMU finds while translating: the instruction counts; EIP goes back to it. */
export function raiseStatic(vector: number, errorCode = 0): never {
  guestFault.vector = vector;
  guestFault.errorCode = errorCode;
  guestFault.counted = true;
  guestFault.software = false;
  throw guestFault;
}

/** Throws INT n, INT3, INTO: counts, and the next instruction's EIP is pushed. */
export function raiseSoftware(vector: number): never {
  guestFault.vector = vector;
  guestFault.errorCode = 0;
  guestFault.counted = true;
  guestFault.software = true;
  throw guestFault;
}
