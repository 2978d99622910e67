import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PhysicalMemory } from '../../src/memory/physical.js';
import type { PortMap } from '../../src/memory/ports.js';

/** One record: operation, port (or count), value (or address). */
type ScriptRecord = readonly [op: number, dx: number, ebx: number];

/**
 * A 32-bit interpreter of 8-byte records at 0xfffc0000 for the top 64 KiB of a 256 KiB ROM: reads the next record, counts down its operation number to
 * the code of it; everything read goes to port 0xe9, the end is an `E` there and HLT.
 */
const INTERPRETER =
  'fa2e660f011618000f20c00c010f22c066ea3800ffff080017002000ffff90900000000000000000ffff0000009bcf00ffff00000093cf00b8100000008ed88e' +
  'c08ed0be0000fcff0fb6060fb756028b5e0483c60848782f743448743648743948743b48745148743a48745548745648745c48747848747fb80100000066ef83' +
  'c0054b75f8ebc1b045e6e9f4ebfd89d8eeebb589d866efebaf89d8efebaaece6e9eba5ede6e9c1e808e6e9c1e808e6e9c1e808e6e9eb9166ede6e988e0e6e9eb' +
  '878813eb838a03e6e9e97affffffc1e20431c989c8c1e8086bc00d6bf90701f888040b4139d172ebe95bffffffec84d875fbe951ffffff66ede6e988e0e6e94b' +
  '75f5e941ffffff';
const ROM_BYTES = 0x40000;
const MAX_RECORDS = 0x30000 / 8 - 1;

const END = 0;
const OUT = { 1: 1, 2: 2, 4: 3 } as const;
const IN = { 1: 4, 2: 5, 4: 6 } as const;
const STORE = 7;
const LOAD = 8;
const FILL = 9;
const POLL = 10;
const READ_WORDS = 11;
const WRITE_WORDS = 12;

/** A list of port and memory accesses that runs both on QEMU and against our devices. */
export class Script {
  private readonly records: ScriptRecord[] = [];

  out(port: number, value: number, size: 1 | 2 | 4 = 1): this {
    return this.add(OUT[size], port, value);
  }
  in(port: number, size: 1 | 2 | 4 = 1): this {
    return this.add(IN[size], port, 0);
  }
  store(address: number, byte: number): this {
    return this.add(STORE, byte, address);
  }
  load(address: number): this {
    return this.add(LOAD, 0, address);
  }
  /** Byte i of `length` (a multiple of 16) becomes 7 i + 13 (i >> 8). */
  fill(address: number, length: number): this {
    return this.add(FILL, length / 16, address);
  }
  /** Reads the port until `bits` are clear. */
  poll(port: number, bits: number): this {
    return this.add(POLL, port, bits);
  }
  readWords(port: number, count: number): this {
    return this.add(READ_WORDS, port, count);
  }
  /** Writes 1, 6, 11, ... */
  writeWords(port: number, count: number): this {
    return this.add(WRITE_WORDS, port, count);
  }
  /** A configuration register of bus 0. */
  config(slot: number, fn: number, at: number, value: number, size: 1 | 2 | 4): this {
    return this.out(0xcf8, (0x80000000 | (slot << 11) | (fn << 8) | (at & 0xfc)) >>> 0, 4).out(0xcfc + (at & 3), value, size);
  }

  private add(op: number, dx: number, ebx: number): this {
    if (this.records.length === MAX_RECORDS) throw new Error('the script is full');
    this.records.push([op, dx, ebx]);
    return this;
  }

  /** How many bytes the script reads, and so writes out. */
  get outputBytes(): number {
    const bytes = (op: number, ebx: number): number => {
      if (op === LOAD) return 1;
      if (op === READ_WORDS) return 2 * ebx;
      return ([1, 2, 4] as const).find((size) => op === IN[size]) ?? 0;
    };
    return this.records.reduce((sum, [op, , ebx]) => sum + bytes(op, ebx), 0);
  }

  rom(): Uint8Array {
    const rom = new Uint8Array(ROM_BYTES);
    const view = new DataView(rom.buffer);
    [...this.records, [END, 0, 0] as const].forEach(([op, dx, ebx], i) => {
      view.setUint8(i * 8, op);
      view.setUint16(i * 8 + 2, dx, true);
      view.setUint32(i * 8 + 4, ebx, true);
    });
    rom.set(Buffer.from(INTERPRETER, 'hex'), ROM_BYTES - 0x10000);
    rom.set([0xe9, 0x0d, 0x00], ROM_BYTES - 0x10);
    return rom;
  }

  /** Runs against our devices; what was read. */
  run(ports: PortMap, memory: PhysicalMemory): Buffer {
    const output: number[] = [];
    const emit = (value: number, size: number): void => {
      for (let i = 0; i < size; i++) output.push((value >>> (i * 8)) & 0xff);
    };
    for (const [op, dx, ebx] of this.records) {
      if (op === OUT[1]) ports.write(dx, ebx & 0xff, 1);
      else if (op === OUT[2]) ports.write(dx, ebx & 0xffff, 2);
      else if (op === OUT[4]) ports.write(dx, ebx, 4);
      else if (op === IN[1]) emit(ports.read(dx, 1), 1);
      else if (op === IN[2]) emit(ports.read(dx, 2), 2);
      else if (op === IN[4]) emit(ports.read(dx, 4), 4);
      else if (op === STORE) memory.write(ebx, dx & 0xff, 1);
      else if (op === LOAD) emit(memory.read(ebx, 1), 1);
      else if (op === FILL) for (let i = 0; i < dx * 16; i++) memory.write(ebx + i, (i * 7 + (i >> 8) * 13) & 0xff, 1);
      else if (op === POLL) {
        if (ports.read(dx, 1) & ebx) throw new Error(`port ${dx.toString(16)} keeps bits ${ebx.toString(16)}`);
      } else if (op === READ_WORDS) for (let i = 0; i < ebx; i++) emit(ports.read(dx, 2), 2);
      else if (op === WRITE_WORDS) for (let i = 0; i < ebx; i++) ports.write(dx, (1 + i * 5) & 0xffff, 2);
    }
    return Buffer.from(output);
  }
}

/** What the script reads on QEMU, and the screen at its end as a PPM file when asked for. */
export async function runOnQemu(
  script: Script,
  extra: readonly string[],
  wantScreen: boolean,
): Promise<{ output: Buffer; ppm: Buffer | null }> {
  const dir = mkdtempSync(join(tmpdir(), 'palindrome-script-'));
  const args = '-M pc -m 4 -nodefaults -vga std -display none -chardev stdio,id=c -device isa-debugcon,chardev=c'.split(' ');
  writeFileSync(join(dir, 'rom'), script.rom());
  const child = spawn('qemu-system-i386', [...args, '-bios', join(dir, 'rom'), '-qmp', `unix:${dir}/qmp,server=on,wait=off`, ...extra]);
  try {
    const output = await outputOf(child, script.outputBytes);
    const ppm = wantScreen ? await screendump(join(dir, 'qmp'), join(dir, 'screen')) : null;
    return { output, ppm };
  } finally {
    child.kill('SIGKILL');
    rmSync(dir, { recursive: true });
  }
}

/** So many bytes and the closing `E`. */
function outputOf(child: ChildProcess, length: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let received = 0;
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`QEMU ended with status ${code}`)));
    child.stdout!.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      received += chunk.length;
      if (received > length) resolve(Buffer.concat(chunks).subarray(0, length));
    });
  });
}

function screendump(socketPath: string, file: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    let text = '';
    let answers = 0;
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      text += chunk;
      const lines = text.split('\n');
      text = lines.pop()!;
      for (const line of lines) {
        if (!line.includes('"return"')) continue;
        if (++answers < 2) continue;
        socket.destroy();
        resolve(readFileSync(file));
      }
    });
    socket.write(`{"execute":"qmp_capabilities"}\n{"execute":"screendump","arguments":{"filename":"${file}"}}\n`);
  });
}
