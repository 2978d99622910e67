/**
 * One guest on v86 (npm package v86): prints what it writes to its serial port, and ends when that has held the given text.
 *   node dist/perf/v86-guest.js MEGABYTES TEXT multiboot FILE
 *   node dist/perf/v86-guest.js MEGABYTES TEXT linux KERNEL INITRD COMMAND-LINE
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { V86 } from 'v86';
import { V86_BIOS, V86_VGA_BIOS } from './v86.js';

const [megabytes, end, kind, file, initrd, cmdline] = process.argv.slice(2) as [string, string, string, string, string?, string?];
const bytes = (path: string): { buffer: ArrayBuffer } => ({ buffer: new Uint8Array(readFileSync(path)).buffer });
const linux = () => ({ bzimage: bytes(file), initrd: bytes(initrd!), cmdline: cmdline! });
const emulator = new V86({
  wasm_path: join(dirname(createRequire(import.meta.url).resolve('v86')), 'v86.wasm'),
  bios: bytes(V86_BIOS),
  vga_bios: bytes(V86_VGA_BIOS),
  memory_size: Number(megabytes) << 20,
  autostart: true,
  ...(kind === 'linux' ? linux() : { multiboot: bytes(file) }),
});
let tail = '';
emulator.add_listener('serial0-output-byte', (byte) => {
  const character = String.fromCharCode(byte);
  process.stdout.write(character);
  tail = (tail + character).slice(-end.length);
  if (tail === end) process.exit(0);
});
