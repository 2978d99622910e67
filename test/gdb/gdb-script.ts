import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { MAIN, RECORDINGS } from '../cli.js';
import { qemuRecordedOptions, type RecordedGuest, recordedOptions } from '../machines.js';
import { endWithTest } from '../processes.js';
import { listening } from '../sockets.js';
import { PATIENCE_MS } from '../tools.js';

/** QEMU replaying one of the small recordings, stopped, with its debugger port. */
export function qemuReplay(guest: RecordedGuest, port: number, emptyQcow2: string): ChildProcess {
  const rom = join(RECORDINGS, guest);
  const machine = [...qemuRecordedOptions(guest), '-debugcon', 'null', '-drive', `file=${emptyQcow2},if=none,id=rr`];
  const replay = ['-icount', `shift=7,rr=replay,rrfile=${rom}.rr`, '-S', '-gdb', `tcp:127.0.0.1:${port}`];
  return endWithTest(spawn('qemu-system-i386', [...machine, ...replay], { stdio: 'ignore' }));
}

/** The same with us. */
export function ourReplay(guest: RecordedGuest, port: number, ...more: string[]): ChildProcess {
  const rom = join(RECORDINGS, guest);
  const options = [...recordedOptions(guest), '--gdb', `tcp:127.0.0.1:${port}`, ...more];
  return endWithTest(spawn(process.execPath, [MAIN, 'debug', `${rom}.rr`, ...options], { stdio: 'ignore' }));
}

/** Runs lines of a gdb script against a target, and gives what gdb printed. Ends the target. */
export async function gdbTranscript(target: ChildProcess, port: number, script: readonly string[]): Promise<string> {
  const lines = [
    ...['set pagination off', 'set confirm off', 'set architecture i386', 'set tcp connect-timeout 600', 'set remotetimeout 300'],
    ...[`target remote 127.0.0.1:${port}`, ...script],
  ];
  const ended = new Promise((resolve) => target.once('close', resolve));
  try {
    await listening(port, target);
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
