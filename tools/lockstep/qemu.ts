import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Watchdog } from './watchdog.js';

/** The machine both sides run: a BIOS image on a bare PC. */
export interface Guest {
  readonly bios: string;
  readonly cpu: 'qemu32' | 'max';
  readonly memoryMiB: number;
  readonly shift: number;
  /** With the power management function, whose SMI commands a guest may use. */
  readonly acpi?: boolean;
  /** More options for QEMU: devices that a bare PC does not have. */
  readonly options?: readonly string[];
}

/** QEMU's firmware configuration: plain items by key, and files by name. */
export interface Firmware {
  readonly items: ReadonlyMap<number, Uint8Array>;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

const TABLE = 0x100;
const DIRECTORY_KEY = 0x19;
const DIRECTORY_BYTES = 4 + 64 * 0x20;
/** Keys below the directory, and the PC's own. Their items are read to 64 bytes: behind an item come zeros. */
const PLAIN_KEYS = [...Array.from({ length: 0x19 }, (_, i) => i), 0x8000, 0x8001, 0x8002, 0x8003, 0x8004];
const PLAIN_BYTES = 64;

export function machineType(guest: Guest): string {
  return guest.acpi === true ? 'pc' : 'pc,acpi=off';
}

function machine(guest: Guest): string[] {
  return [
    ...['-M', machineType(guest), '-cpu', guest.cpu, '-m', String(guest.memoryMiB), '-display', 'none', '-net', 'none', '-nodefaults'],
    ...['-global', 'apic.vapic=off', '-no-reboot', '-debugcon', 'null'],
    ...(guest.options ?? []),
  ];
}

/** QEMU's options for the guest, but for the log. */
export function machineArguments(guest: Guest): string[] {
  return [...machine(guest), '-bios', guest.bios];
}

/** Options, behind the others, that keep all of the guest's RAM in a file. */
export function backedRam(guest: Guest, path: string): string[] {
  const size = `${guest.memoryMiB}M`;
  return ['-object', `memory-backend-file,id=ram,mem-path=${path},share=on,size=${size}`, '-machine', 'memory-backend=ram'];
}

/** Reads firmware configuration items out of QEMU with a ROM that dumps them. */
function dumpItems(dir: string, guest: Guest, keys: readonly (readonly [number, number])[]): Uint8Array[] {
  const source = new URL('./fw-cfg-dump.asm', import.meta.url).pathname.replace('/dist/', '/');
  const rom = join(dir, 'dump.bin');
  execFileSync('nasm', ['-f', 'bin', source, '-o', rom]);
  const image = readFileSync(rom);
  keys.forEach(([key, length], i) => {
    image.writeUInt16LE(key, TABLE + 6 * i);
    image.writeUInt32LE(length, TABLE + 6 * i + 2);
  });
  writeFileSync(rom, image);
  const output = join(dir, 'dump.out');
  const args = machine(guest).filter((a) => a !== '-debugcon' && a !== 'null');
  spawnSync('qemu-system-i386', [...args, '-bios', rom, '-debugcon', `file:${output}`, '-device', 'isa-debug-exit,iobase=0xf4,iosize=1'], {
    timeout: 600_000,
  });
  const all = readFileSync(output);
  let at = 0;
  return keys.map(([, length]) => {
    at += length;
    return new Uint8Array(all.subarray(at - length, at));
  });
}

/** Reads all of QEMU's firmware configuration. */
export function readFirmwareConfiguration(dir: string, guest: Guest): Firmware {
  const [directory, ...plain] = dumpItems(dir, guest, [
    [DIRECTORY_KEY, DIRECTORY_BYTES],
    ...PLAIN_KEYS.map((k) => [k, PLAIN_BYTES] as const),
  ]);
  const view = new DataView(directory!.buffer, directory!.byteOffset);
  const entries = Array.from({ length: view.getUint32(0) }, (_, i) => {
    const at = 4 + 64 * i;
    const name = new TextDecoder().decode(directory!.subarray(at + 8, at + 64)).split('\0')[0]!;
    return { name, key: view.getUint16(at + 4), length: view.getUint32(at) };
  });
  const contents = dumpItems(
    dir,
    guest,
    entries.map((e) => [e.key, e.length] as const),
  );
  return {
    items: new Map(PLAIN_KEYS.map((key, i) => [key, plain[i]!])),
    files: new Map(entries.map((e, i) => [e.name, contents[i]!])),
  };
}

/** Records the guest for some seconds, in which this process runs too; gives the log. */
export async function recordWithQemu(dir: string, guest: Guest, seconds: number): Promise<string> {
  const log = join(dir, 'qemu.rr');
  const qemu = spawn('qemu-system-i386', [...machineArguments(guest), '-icount', `shift=${guest.shift},rr=record,rrfile=${log}`], {
    stdio: 'ignore',
  });
  const watchdog = new Watchdog(seconds * 1000, () => qemu.kill('SIGTERM'));
  await new Promise((resolve) => qemu.once('exit', resolve));
  watchdog.cancel();
  return log;
}

/** Replays a log in QEMU with its state before every instruction on stdout. Through a shell's pipe, as QEMU cannot open a socket as its log. */
export function traceWithQemu(guest: Guest, log: string): ChildProcess {
  const args = [...machineArguments(guest), '-icount', `shift=${guest.shift},rr=replay,rrfile=${log}`];
  const command = ['qemu-system-i386', ...args, '-singlestep', '-d', 'cpu,exec,nochain', '-D', '/dev/stdout'];
  return spawn('sh', ['-c', '"$@" 2>/dev/null | cat', 'trace', ...command], { stdio: ['ignore', 'pipe', 'ignore'], detached: true });
}
