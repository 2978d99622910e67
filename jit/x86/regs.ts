/**
 * The hot CPU state: one Int32Array, shared by interpreter and generated code. Indices into `Cpu.r`.
 */
export const EAX = 0;
export const ECX = 1;
export const EDX = 2;
export const EBX = 3;
export const ESP = 4;
export const EBP = 5;
export const ESI = 6;
export const EDI = 7;
/** Always 0: base and index of effective addresses that have none. */
export const ZERO = 8;
/** Offset of the next instruction while one executes; of the current one between instructions. */
export const EIP = 9;
/** Lazy arithmetic flags: see flags.ts for the meaning of each CC_OP. */
export const CC_OP = 10;
export const CC_DST = 11;
export const CC_SRC = 12;
export const CC_SRC2 = 13;
/** EFLAGS without the six arithmetic flags (those are lazy): TF, IF, DF, IOPL, NT, RF, VM, AC, VIF, VIP, ID and bit 1. */
export const EFLAGS = 14;
/** Instructions left in the current slice; taken down before an instruction executes. */
export const LEFT = 15;
/** Segment bases, in encoding order ES CS SS DS FS GS. */
export const SEG_BASE = 16;
export const ES = 0;
export const CS = 1;
export const SS = 2;
export const DS = 3;
export const FS = 4;
export const GS = 5;
/** Segment "register" index of LDTR and TR in Cpu.seg arrays. */
export const LDTR = 6;
export const TR = 7;
/** Number of slots in `Cpu.r`. */
export const REGISTER_FILE_SIZE = 32;

export const FLAG_CF = 0x1;
export const FLAG_PF = 0x4;
export const FLAG_AF = 0x10;
export const FLAG_ZF = 0x40;
export const FLAG_SF = 0x80;
export const FLAG_TF = 0x100;
export const FLAG_IF = 0x200;
export const FLAG_DF = 0x400;
export const FLAG_OF = 0x800;
export const FLAG_IOPL = 0x3000;
export const FLAG_NT = 0x4000;
export const FLAG_RF = 0x10000;
export const FLAG_VM = 0x20000;
export const FLAG_AC = 0x40000;
export const FLAG_VIF = 0x80000;
export const FLAG_VIP = 0x100000;
export const FLAG_ID = 0x200000;
export const FLAGS_ARITH = FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF;
