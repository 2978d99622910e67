// Oracle: self-consistency (generated code reviewed like source; a missing golden file fails)
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { print } from '../../jit/core/compile.js';
import { MODE_CPL, MODE_CS32, MODE_FLAT, MODE_PE, MODE_SS32 } from '../../jit/x86/mode.js';
import { CC_DST, CC_OP, CC_SRC } from '../../jit/x86/regs.js';
import { disassembleTb } from '../../jit/x86/translate/disassembly.js';
import { alone } from '../../jit/x86/translate/region-node.js';
import { translateRegion } from '../../jit/x86/translate/translate.js';
import { TestBlock } from './two-machines.js';

const FLAT32 = MODE_CS32 | MODE_SS32 | MODE_PE | MODE_FLAT;
const FOLDER = new URL('../golden/jit/', import.meta.url);

/** File name: bytes of a TB at 1000h and its mode. */
const samples: Record<string, [readonly number[], number]> = {
  // mov eax,[esi]; add esi,4; xor eax,edx; rol eax,5; add edx,eax; mov [edi],edx; add edi,4; dec ecx; jnz $-18
  'memory-loop': [[0x8b, 0x06, 0x83, 0xc6, 4, 0x31, 0xd0, 0xc1, 0xc0, 5, 0x01, 0xc2, 0x89, 0x17, 0x83, 0xc7, 4, 0x49, 0x75, 0xec], FLAT32],
  // cmp eax,[ebx+ecx*4+8]; jl
  'compare-and-branch': [[0x3b, 0x44, 0x8b, 0x08, 0x7c, 0x10], FLAT32 | MODE_CPL],
  // add eax,ebx; adc edx,ecx; cmp al,bh; setb dl; cmovg esi,edi; ret
  'carry-chain': [[0x01, 0xd8, 0x11, 0xca, 0x38, 0xf8, 0x0f, 0x92, 0xc2, 0x0f, 0x4f, 0xf7, 0xc3], FLAT32],
  // push ebp; mov ebp,esp; call $+20h
  'function-entry': [[0x55, 0x89, 0xe5, 0xe8, 0x1b, 0, 0, 0], FLAT32],
  // push ebp; mov ebp,esp; push ebx; sub esp,8; mov eax,[ebp+8]; mov [ebp-8],eax; ret: one look into the TLB for all
  'stack-frame': [[0x55, 0x89, 0xe5, 0x53, 0x83, 0xec, 0x08, 0x8b, 0x45, 0x08, 0x89, 0x45, 0xf8, 0xc3], FLAT32],
  // mov eax,[ebp+8]; mov [edi],eax, with bases
  'segment-bases': [[0x8b, 0x45, 0x08, 0x89, 0x07], FLAT32 & ~MODE_FLAT],
  // inc byte [bx+si]; stosw; loop, in 16-bit code
  'real-mode': [[0xfe, 0x00, 0xab, 0xe2, 0xf0], 0],
  // mov ecx,[esp+4]; div ecx; shl edx,cl; pop eax: DIV is handed to the interpreter's exec
  'exec-in-the-middle': [[0x8b, 0x4c, 0x24, 0x04, 0xf7, 0xf1, 0xd3, 0xe2, 0x58], FLAT32],
};

describe('generated code', () => {
  it.each(Object.keys(samples))('of %s is the one reviewed', (name) => {
    const [bytes, mode] = samples[name]!;
    const block = new TestBlock(bytes, 0x1000, mode);
    const text = `${print(translateRegion(alone(block), [], { notes: disassembleTb(block, block.bytes) }))}\n`;
    const file = fileURLToPath(new URL(`${name}.txt`, FOLDER));
    if (process.env.UPDATE_GOLDEN === '1') {
      mkdirSync(FOLDER, { recursive: true });
      writeFileSync(file, text);
    }
    expect(text).toBe(readFileSync(file, 'utf8'));
  });

  it('of a loop of two TBs keeps flags in variables, stored once on the way out, and a condition compares what the TB before compared', () => {
    // 1000h: cmp ecx,edx; jmp 1004h      1004h: mov eax,ebx; jb 1000h
    const [first, second] = [
      new TestBlock([0x39, 0xd1, 0xeb, 0x00], 0x1000, FLAT32),
      new TestBlock([0x89, 0xd8, 0x72, 0xf8], 0x1004, FLAT32),
    ];
    const nodes = [
      { tb: first, ways: [{ eip: 0x1004, to: 1 }] },
      { tb: second, ways: [{ eip: 0x1000, to: 0 }] },
    ];
    const text = print(translateRegion(nodes, []));
    for (const cc of [CC_OP, CC_DST, CC_SRC]) expect(text.match(new RegExp(`r\\[${cc}\\] = `, 'g'))).toHaveLength(1);
    const [from, to] = [text.indexOf('tb: {'), text.indexOf('r[9] = eip')];
    const behindCompare = text.slice(text.indexOf('eax = ', from), to);
    expect(text.slice(from, to)).not.toMatch(/r\[1[0-2]\]/);
    expect(behindCompare).toMatch(/if \(t\d+ >>> 0 < t\d+ >>> 0\)/);
  });
});
