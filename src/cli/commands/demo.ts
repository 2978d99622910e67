import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandModule } from 'yargs';
import { reason } from '../../../replay/log/input.js';
import { UserError } from '../../core/errors.js';
import { configure, type MachineConfig } from '../../machine/config.js';
import { describeInputs } from '../../machine/input-paths.js';
import type { JitMode, Job, JobResult } from '../../machine/job.js';
import { recordingEnd, writeSidecar } from '../../machine/sidecar.js';
import { GUEST_IMAGE_BASE64 } from '../demo/guest-image.js';
import { RunningJob } from '../run-in-worker.js';

const TYPED_LINE = 'hello from the host\n';
/** QKeyCodes typed on the PS/2 keyboard: a, b, ret. */
const TYPED_KEYS = [36, 53, 35];
const SHIFT = 3;

interface DemoArguments {
  readonly keep?: string | undefined;
}

/** `palindrome demo`: records the built-in guest with live input and replays it with the JIT off, on and forced. */
export const demoCommand: CommandModule<object, DemoArguments> = {
  command: 'demo',
  describe: 'Record and replay the built-in guest, and compare',
  builder: (argv) =>
    argv
      .option('keep', { type: 'string', requiresArg: true, describe: 'Folder to leave the recording in' })
      .example('$0 demo --keep .', 'leaves demo.rr here, to look into and replay') as never,
  handler: async (args) => {
    const folder = args.keep ?? mkdtempSync(join(tmpdir(), 'palindrome-demo-'));
    try {
      await demo(folder);
    } finally {
      if (args.keep === undefined) rmSync(folder, { recursive: true, force: true });
    }
  },
};

async function demo(folder: string): Promise<void> {
  const kernel = join(folder, 'guest.bin');
  try {
    writeFileSync(kernel, Buffer.from(GUEST_IMAGE_BASE64, 'base64'));
  } catch (e) {
    throw new UserError('file-io', `demo: ${kernel}: ${reason(e)}`);
  }
  const config = configure({
    kernel,
    memory: '16M',
    icount: `shift=${SHIFT}`,
    nodefaults: true,
    serial: [`file:${join(folder, 'serial.txt')}`],
    device: ['isa-debug-exit,iobase=0xf4,iosize=1'],
  });
  const log = join(folder, 'demo.rr');
  say('Recording the built-in guest (timer, keyboard, clock, serial line, page faults, self-modifying code, x87) with live input ...');
  const recorded = await record(config, log);
  const rows: [string, JobResult][] = [['record', recorded]];
  for (const jit of ['off', 'on', 'force'] as const) {
    say(`Replaying it with the JIT ${jit === 'force' ? 'forced' : jit} ...`);
    rows.push([`replay --jit ${jit}`, await new RunningJob(replayJob(config, log, jit, recorded)).result]);
  }
  await report(rows);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function record(config: MachineConfig, log: string): Promise<JobResult> {
  const sidecar = { machine: config, inputs: describeInputs(config, log), logFormat: '5.2' } as const;
  const base = { kind: 'record', config, log, logFormat: '5.2', sidecar, screenshot: false, strict: true, final: null } as const;
  const running = new RunningJob({ ...base, until: null, jit: 'on' });
  const typing = type(running);
  const result = await running.result;
  await typing;
  writeSidecar(log, { ...sidecar, final: recordingEnd(log, result) });
  return result;
}

/** Types on the serial line and on the keyboard while the guest runs, at whatever moment it happens to be. */
async function type(running: RunningJob): Promise<void> {
  for (const key of TYPED_KEYS) {
    await sleep(150);
    for (const down of [true, false]) {
      running.send({ kind: 'input', event: { kind: 'key', qcode: key, down } });
      running.send({ kind: 'input-sync' });
    }
  }
  for (const char of TYPED_LINE) {
    await sleep(10);
    running.send({ kind: 'chars', device: 0, bytes: new TextEncoder().encode(char) });
  }
}

function replayJob(config: MachineConfig, log: string, jit: JitMode, recorded: JobResult): Omit<Job, 'control'> {
  return {
    kind: 'replay',
    config: { ...config, serial: [{ kind: 'null' }] },
    log,
    logFormat: '5.2',
    until: null,
    jit,
    screenshot: false,
    strict: true,
    final: recordingEnd(log, recorded),
  };
}

async function report(rows: readonly [string, JobResult][]): Promise<void> {
  const { default: Table } = await import('cli-table3');
  const table = new Table({
    head: ['run', 'instructions', 'events', 'digest', 'ended', 'seconds', 'million/s'],
    style: { head: [], border: [] },
  });
  for (const [name, r] of rows) {
    const rate = r.icount / 1e6 / Math.max(r.wallSeconds, 1e-3);
    table.push([
      name,
      r.icount.toLocaleString('en-US'),
      r.events,
      r.digest.slice(0, 16),
      r.stop,
      r.wallSeconds.toFixed(2),
      rate.toFixed(0),
    ]);
  }
  say(table.toString());
  const [, first] = rows[0]!;
  const same = rows.every(
    ([, r]) => r.digest === first.digest && r.icount === first.icount && r.events === first.events && r.divergence === null,
  );
  if (same) say('All three replays reached the same instruction with the same state digest as the recording.');
  else {
    for (const [name, r] of rows)
      if (r.divergence !== null)
        say(`${name}: instruction ${r.divergence.icount}: the log holds ${r.divergence.expected}; the machine ${r.divergence.found}`);
    say('The replays DIFFER from the recording: this is a bug in palindrome.');
    process.exitCode = 3;
  }
}
