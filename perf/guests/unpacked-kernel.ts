/** Debian's kernel without its compression, which is 2.3 of the 2.8 billion instructions of a small guest's start: what CONFIG_KERNEL_UNCOMPRESSED would have made. */
import { execFileSync } from 'node:child_process';

/** Linux, Documentation/arch/x86/boot.rst: fields of the setup header, by their offsets in the file. */
const [SETUP_SECTS, SYSSIZE, PAYLOAD_OFFSET, PAYLOAD_LENGTH] = [0x1f1, 0x1f4, 0x248, 0x24c];
const SECTOR = 512;
const PT_LOAD = 1;
/** Where the boot protocol puts what follows the setup sectors, and starts it in 32-bit mode. */
const CODE32_START = 0x100000;
const STUB_BYTES = 32;

interface Segment {
  readonly paddr: number;
  readonly bytes: Buffer;
}

/** The loadable segments of a 32-bit ELF file (System V ABI, chapter 5). */
function segments(elf: Buffer): Segment[] {
  const [at, entryBytes, count] = [elf.readUInt32LE(28), elf.readUInt16LE(42), elf.readUInt16LE(44)];
  return Array.from({ length: count }, (_, i) => elf.subarray(at + i * entryBytes))
    .filter((header) => header.readUInt32LE(0) === PT_LOAD)
    .map((header) => ({
      paddr: header.readUInt32LE(12),
      bytes: elf.subarray(header.readUInt32LE(4)).subarray(0, header.readUInt32LE(16)),
    }));
}

/** Moves `dwords` from behind itself to `to` and jumps there; ESI, which leads to the boot parameters, stays. */
function stub(to: number, dwords: number): Buffer {
  const dword = (v: number): number[] => [v & 0xff, (v >>> 8) & 0xff, (v >>> 16) & 0xff, v >>> 24];
  const [movEsi, movEdi, movEcx, movEax] = [0xbe, 0xbf, 0xb9, 0xb8];
  const code = [
    ...[0xfc, 0x89, 0xf3], // cld; mov ebx,esi
    ...[movEsi, ...dword(CODE32_START + STUB_BYTES)],
    ...[movEdi, ...dword(to)],
    ...[movEcx, ...dword(dwords)],
    ...[0xf3, 0xa5, 0x89, 0xde], // rep movsd; mov esi,ebx
    ...[movEax, ...dword(to), 0xff, 0xe0], // jmp eax
  ];
  return Buffer.concat([Buffer.from(code), Buffer.alloc(STUB_BYTES - code.length)]);
}

/** Unpacks a kernel that is packed with xz (needs the program xz). The outcome starts as the kernel did, by firmware or directly, at its preferred address. */
export function unpackedKernel(packed: Buffer): Buffer {
  const setup = Buffer.from(packed.subarray(0, (packed[SETUP_SECTS]! + 1) * SECTOR));
  const payload = packed.subarray(setup.length + setup.readUInt32LE(PAYLOAD_OFFSET)).subarray(0, setup.readUInt32LE(PAYLOAD_LENGTH));
  // The size of the kernel, 4 bytes, is behind the stream.
  const elf = execFileSync('xz', ['-dc', '--single-stream'], { input: payload, maxBuffer: 1 << 28 });
  const loaded = segments(elf);
  const start = Math.min(...loaded.map(({ paddr }) => paddr));
  const end = Math.max(...loaded.map(({ paddr, bytes }) => paddr + bytes.length));
  const image = Buffer.alloc((end - start + 15) & ~15);
  for (const { paddr, bytes } of loaded) bytes.copy(image, paddr - start);
  setup.writeUInt32LE((STUB_BYTES + image.length) / 16, SYSSIZE);
  for (const field of [PAYLOAD_OFFSET, PAYLOAD_LENGTH]) setup.writeUInt32LE(0, field);
  return Buffer.concat([setup, stub(start, image.length / 4), image]);
}
