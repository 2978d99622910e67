#!/usr/bin/env node
import type { StopCause } from '../../core/debug-target.js';
import { EXIT_USER_ERROR, UserError } from '../../core/errors.js';
import { MachineThread } from '../../debug/machine-thread.js';
import { configure, type MachineConfig } from '../../machine/config.js';
import { describeInputs } from '../../machine/input-paths.js';
import type { Job } from '../../machine/job.js';
import { refuseOverwriting } from '../../machine/new-recording.js';
import { DebugServices } from '../debug-services.js';
import { replayJob } from '../replay-job.js';
import { stdinDevice } from '../stdin-device.js';
import { parseQemuOptions, type QemuCommandLine } from './qemu-options.js';

const HELP = `palindrome-system-i386 [QEMU's options]: a machine, with QEMU's own command line

  -icount shift=N,rr=record|replay,rrfile=FILE   record into FILE, or replay it
  -S -s -gdb tcp:HOST:PORT -qmp tcp:HOST:PORT|unix:PATH -monitor stdio|tcp:...|unix:...
  -m -cpu -M -bios -kernel -initrd -append -drive -device -serial -debugcon -rtc -boot -net none -nodefaults -no-reboot -no-shutdown

Options that are not supported are refused by name. See palindrome record --help for the values of the others.
`;

function job(line: QemuCommandLine): Omit<Job, 'control'> {
  const base = { until: null, jit: 'on', screenshot: false, strict: true, final: null, logFormat: '5.2' } as const;
  if (line.mode === 'replay') return replayJob({ ...line.machine, log: line.log!, jit: 'on' });
  // An image for snapshots is no part of the machine, and nothing is taken here yet.
  const { snapshots, ...asked } = configure(line.machine);
  const config: MachineConfig = line.noDisplay ? { ...asked, vga: false, vgabios: null } : asked;
  if (line.mode === 'none') return { ...base, kind: 'run', config, log: null };
  refuseOverwriting(line.log!, config);
  const sidecar = { machine: config, inputs: describeInputs(config, line.log!), logFormat: base.logFormat };
  return { ...base, kind: 'record', config, log: line.log, sidecar };
}

async function run(line: QemuCommandLine): Promise<void> {
  const made = job(line);
  const machine = new MachineThread(made);
  const quit = (): void => void machine.call('quit', {}).catch(() => {});
  const services = new DebugServices(machine, quit);
  machine.observe({ stopped: (cause) => ended(cause, line) && quit() });
  process.on('SIGINT', quit).on('SIGTERM', quit);
  const device = made.kind === 'replay' ? null : stdinDevice(made.config);
  const onInput = (bytes: Buffer): void =>
    void machine.call('input', { requests: [{ kind: 'chars', device: device!, bytes: new Uint8Array(bytes) }] }).catch(() => {});
  try {
    await Promise.race([machine.ready, machine.ended]);
    for (const service of line.services) await services.open(service);
    if (device !== null) process.stdin.on('data', onInput);
    if (!line.stopped) await services.control.cont();
    await machine.ended;
  } finally {
    services.close();
    process.stdin.off('data', onInput).pause();
    process.off('SIGINT', quit).off('SIGTERM', quit);
  }
}

/** Whether the program ends with the machine; a debugger may want to go back from there. */
function ended(cause: StopCause, line: QemuCommandLine): boolean {
  if (cause.kind === 'failed') {
    process.stderr.write(`palindrome-system-i386: ${cause.message}\n`);
    process.exitCode = 3;
  }
  const over = cause.kind === 'shutdown' || cause.kind === 'log-end' || cause.kind === 'failed';
  return over && !line.stays && !line.services.some((s) => s.kind === 'gdb');
}

function fail(error: unknown): never {
  if (error instanceof UserError) {
    process.stderr.write(`palindrome-system-i386: ${error.message}\n`);
    process.exit(EXIT_USER_ERROR);
  }
  process.stderr.write(
    `palindrome-system-i386: internal error, please report it\n${error instanceof Error ? error.stack : String(error)}\n`,
  );
  process.exit(1);
}

const argv = process.argv.slice(2);
if (argv.some((word) => /^(-h|--?help)$/.test(word))) process.stdout.write(HELP);
else
  try {
    await run(parseQemuOptions(argv));
  } catch (error) {
    fail(error);
  }
