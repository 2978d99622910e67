/**
 * What the decoding and meaning of an instruction depend on besides its bytes: the `mode` a block is keyed by.
 * Kept in Cpu.mode; every change of CR0, CR4, CS, SS, EFLAGS.VM/IOPL/TF or CPL goes through `updateMode`,
 * one of ES and DS through `loadSegmentCache`.
 */
export const MODE_CS32 = 1 << 0;
export const MODE_SS32 = 1 << 1;
export const MODE_PE = 1 << 2;
export const MODE_VM = 1 << 3;
/** Two bits: current privilege level. */
export const MODE_CPL_SHIFT = 4;
export const MODE_CPL = 3 << MODE_CPL_SHIFT;
/** Two bits: EFLAGS.IOPL. */
export const MODE_IOPL_SHIFT = 6;
export const MODE_IOPL = 3 << MODE_IOPL_SHIFT;
/** EFLAGS.TF: one instruction per block, then #DB. */
export const MODE_TF = 1 << 8;
/** CR0.MP, CR0.EM, CR0.TS. */
export const MODE_MP = 1 << 9;
export const MODE_EM = 1 << 10;
export const MODE_TS = 1 << 11;
/** CR4.OSFXSR. */
export const MODE_OSFXSR = 1 << 12;
/** In system management mode. */
export const MODE_SMM = 1 << 13;
/** Interrupts are inhibited for one instruction (after STI, MOV SS, POP SS). */
export const MODE_INHIBIT = 1 << 14;
/** Some I/O or data breakpoint of DR7 is armed (generated code must not be used). */
export const MODE_BREAKPOINTS = 1 << 15;
/** 32-bit protected mode with bases 0 of ES, SS and DS: addresses need no base. A load of one of them ends its block there. */
export const MODE_FLAT = 1 << 16;
