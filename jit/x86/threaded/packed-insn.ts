/**
 * Layout of threaded code: words of one Int32Array. A block is a header, and four words for each instruction; a jump at its end has four more.
 *
 * First word of an instruction: number of its shape in the low bits (0: left to its `exec`), and operands from the bit given on.
 */
export const SHAPE_MASK = 0x3ff;
/** Registers of reg and r/m, three bits each; for bytes as instructions encode them. */
export const REG = 10;
export const RM = 13;
/** Base and index of the address, four bits each: indices into Cpu.r; behind the index two bits of scale; number of the segment. */
export const BASE = 16;
export const INDEX = 20;
export const SEGMENT = 26;

/** Words of an instruction. */
export const SLOT = 4;
/** Displacement of the address; of a relative jump, EIP where it goes. */
export const TARGET = 1;
/** Immediate; of a conditional jump or call, EIP behind it. */
export const VALUE = 2;
export const NEXT = 2;
/** EIP of the instruction. */
export const AT = 3;
/** Of a jump: where the header of the block is that came behind it last; the next word: the same for a condition that does not hold. 0: none. */
export const LINK = 4;

/** Words of a block's header: number of instructions (0: it must not be entered any more). */
export const COUNT = 0;
/** EIP, and linear and backing address of the first byte, as Block has them. */
export const EIP_WORD = 1;
export const LADDR = 2;
export const BACKING = 3;
/** Executions left until the engine is to look at the block. */
export const GRANT = 4;
/** What it was when somebody last looked: the difference was executed since. */
export const GRANTED = 6;
/** Number in the list of blocks. */
export const BLOCK = 5;
/** ThreadedCode.era in which it was last noted as executed at LADDR. */
export const ERA = 7;
export const HEADER = 8;
