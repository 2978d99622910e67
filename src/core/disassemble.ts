import { createRequire } from 'node:module';

type Iced = typeof import('iced-x86');
let loaded: Iced | null = null;

/** The disassembler's library, once one is needed: a third of the time in which a command starts would be its. */
function iced(): Iced {
  loaded ??= createRequire(import.meta.url)('iced-x86') as Iced;
  return loaded;
}

/** Intel syntax as nasm writes it, or AT&T's as gas does. */
export type DisassemblySyntax = 'Nasm' | 'Gas';

/** An instruction in words. */
export interface DisassembledInstruction {
  /** Linear address. */
  readonly address: number;
  readonly bytes: Uint8Array;
  readonly text: string;
}

/**
 * The first `count` instructions of some bytes.
 * @param bits 16 or 32
 * @param operandColumn where operands begin; 0: one blank behind the mnemonic
 */
export function disassemble(
  bytes: Uint8Array,
  address: number,
  bits: number,
  syntax: DisassemblySyntax,
  count = Number.POSITIVE_INFINITY,
  operandColumn = 0,
): DisassembledInstruction[] {
  const { Decoder, DecoderOptions, Formatter, FormatterSyntax } = iced();
  const decoder = new Decoder(bits, bytes, DecoderOptions.None);
  const formatter = new Formatter(FormatterSyntax[syntax]);
  formatter.firstOperandCharIndex = operandColumn;
  decoder.ip = BigInt(address);
  const found: DisassembledInstruction[] = [];
  for (let at = 0; found.length < count && decoder.canDecode; ) {
    const instruction = decoder.decode();
    const end = at + instruction.length;
    found.push({ address: (address + at) >>> 0, bytes: bytes.subarray(at, end), text: formatter.format(instruction) });
    at = end;
    instruction.free();
  }
  decoder.free();
  formatter.free();
  return found;
}
