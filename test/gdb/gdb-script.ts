import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MAIN, RECORDINGS } from '../cli.js';
import { qemuRecordedOptions, type RecordedGuest, recordedOptions } from '../machines.js';
import { PATIENCE_MS } from '../tools.js';

/** A port of this machine that nobody listens at. */
export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** QEMU replaying one of the small recordings, stopped, with its debugger port. */
export function qemuReplay(guest: RecordedGuest, port: number, emptyQcow2: string): ChildProcess {
  const rom = join(RECORDINGS, guest);
  return spawn('qemu-system-i386', [
    ...[...qemuRecordedOptions(guest), '-debugcon', 'null'],
    ...['-icount', `shift=7,rr=replay,rrfile=${rom}.rr`, '-drive', `file=${emptyQcow2},if=none,id=rr`],
    ...['-S', '-gdb', `tcp:127.0.0.1:${port}`],
  ]);
}

/** The same with us. */
export function ourReplay(guest: RecordedGuest, port: number, ...more: string[]): ChildProcess {
  const rom = join(RECORDINGS, guest);
  return spawn(process.execPath, [...[MAIN, 'debug', `${rom}.rr`, ...recordedOptions(guest), '--gdb', `tcp:127.0.0.1:${port}`, ...more]]);
}

/** Runs lines of a gdb script against a target, and gives what gdb printed. Ends the target. */
export async function gdbTranscript(target: ChildProcess, port: number, script: readonly string[]): Promise<string> {
  const lines = [
    ...['set pagination off', 'set confirm off', 'set architecture i386', 'set tcp connect-timeout 600'],
    ...[`target remote 127.0.0.1:${port}`, ...script],
  ];
  const ended = new Promise((resolve) => target.once('close', resolve));
  try {
    await listening(port);
    // One pipe for what it says and what it complains of: the order counts.
    const words = ['-c', 'exec gdb-multiarch "$@" 2>&1', 'sh', '-nx', '-batch', ...lines.flatMap((line) => ['-ex', line])];
    const gdb = spawn('sh', words, { timeout: PATIENCE_MS });
    let text = '';
    gdb.stdout.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
    await new Promise((resolve) => gdb.once('close', resolve));
    return text.replaceAll(`:${port}`, ':PORT');
  } finally {
    target.kill('SIGKILL');
    await ended;
  }
}

/** Waits until somebody listens, without connecting: both targets serve one debugger only. */
export async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    const { stdout } = spawnSync('cat', ['/proc/net/tcp'], { encoding: 'utf8' });
    if (stdout.includes(`0100007F:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 0A`)) return;
    await sleep(50);
  }
  throw new Error(`nobody listens at port ${port}`);
}
