// Oracle: manual (README: one writes at a time, readers go on; Ctrl-C keeps what is made; a damaged store costs speed, never the recording)
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { replayJob } from '../../src/cli/replay-job.js';
import { digestMachine } from '../../src/core/digest.js';
import { Timeline } from '../../src/machine/timeline.js';
import { palindrome, RECORDINGS, summary, temporaryFolder } from '../cli.js';
import { recordedOptions } from '../machines.js';
import { Background, guestOptions, refusal, sizeOf } from './guest.js';

/** Nearer than three million instructions nobody goes back to a checkpoint. */
const END = 6_000_000;
const folder = temporaryFolder();
const log = join(folder, 'boot.rr');

interface Listed {
  readonly checkpoints: readonly { readonly icount: number }[];
  readonly damages: readonly string[];
}

function list(path: string, ...machine: string[]): Listed {
  return JSON.parse(palindrome('checkpoint', 'list', path, '--json', ...machine).stdout) as Listed;
}

/** Of the threads of a process (proc(5), field 19 of stat). */
function nicenesses(pid: number): number[] {
  const stat = (thread: string): string => readFileSync(`/proc/${pid}/task/${thread}/stat`, 'latin1');
  return readdirSync(`/proc/${pid}/task`).map((thread) =>
    Number(
      stat(thread)
        .replace(/^.*\) /, '')
        .split(' ')[16],
    ),
  );
}

/** The recording in a folder of its own, without checkpoints. */
function copyOf(name: string): string {
  const to = join(folder, name);
  mkdirSync(to);
  for (const end of ['', '.json']) cpSync(log + end, join(to, `boot.rr${end}`));
  return join(to, 'boot.rr');
}

beforeAll(() => {
  summary('record', log, ...guestOptions(folder), '--until', String(END), '--checkpoint-every', 'off');
});

describe('checkpoint add', () => {
  it('that gets Ctrl-C, or is killed, leaves checkpoints that can be used and added to', async () => {
    const path = copyOf('interrupted');
    const store = `${path}.checkpoints`;
    const slow = ['checkpoint', 'add', path, '--every', '1k', '--jit', 'off'];
    const stopped = new Background(...slow);
    await stopped.until(() => sizeOf(store) > 100_000);
    stopped.child.kill('SIGINT');
    expect(await stopped.ended).toEqual({ status: 0, signal: null });
    const first = list(path);
    expect(first.damages).toEqual([]);
    expect(first.checkpoints.length).toBeGreaterThan(10);
    expect(first.checkpoints.at(-1)!.icount).toBeLessThan(END - 100_000);

    const killed = new Background(...slow);
    await killed.until(() => sizeOf(store) > 250_000);
    killed.child.kill('SIGSTOP');
    // While it writes: a second writer hears of it, a reader does not.
    expect(refusal('checkpoint', 'add', path)).toContain(`${store} is being written by process ${killed.child.pid}`);
    expect(summary('replay', path, '--until', '50000').icount).toBe(50_000);
    killed.child.kill('SIGKILL');
    await killed.ended;
    expect(existsSync(`${store}.lock`)).toBe(true);
    expect(list(path).checkpoints.length).toBeGreaterThan(first.checkpoints.length);
    expect(palindrome('checkpoint', 'add', path, '--every', '1M').status).toBe(0);
    expect(existsSync(`${store}.lock`)).toBe(false);
    const { checkpoints, damages } = list(path);
    expect(damages).toEqual([]);
    expect(checkpoints.at(-1)!.icount).toBeGreaterThan(4_900_000);
  });

  it('makes checkpoints of a recording of QEMU’s, too', () => {
    const path = join(folder, 't6.rr');
    cpSync(join(RECORDINGS, 't6.rr'), path);
    const machine = recordedOptions('t6');
    expect(palindrome('checkpoint', 'add', path, '--every', '500k', ...machine).status).toBe(0);
    expect(list(path, ...machine).checkpoints.length).toBe(7);
    const until = [...machine, '--until', '3428000'];
    const near = summary('replay', path, ...until) as ReturnType<typeof summary> & { startedAt: number };
    expect(near.startedAt).toBeGreaterThan(2_900_000);
    const far = summary('replay', path, ...until, '--from-start');
    expect([near.icount, near.digest, near.events, near.stop]).toEqual([far.icount, far.digest, far.events, far.stop]);
  });
});

describe('two writers', () => {
  it('do not record into one log at once; the first one’s recording is whole', async () => {
    const path = join(folder, 'twice.rr');
    const first = new Background('record', path, ...guestOptions(folder), '--serial', 'stdio', '--checkpoint-every', '100k');
    await first.until(() => first.stdout.includes('round') && sizeOf(`${path}.checkpoints`) > 0);
    // The writing thread, and no other, makes room for the machine.
    expect(nicenesses(first.child.pid!).filter((nice) => nice > 0)).toHaveLength(1);
    expect(refusal('record', path, ...guestOptions(folder), '--until', '1000')).toContain('is being written by process');
    first.child.kill('SIGINT');
    expect((await first.ended).status).toBe(0);
    expect(summary('replay', path)).toMatchObject({ status: 0, divergence: null });
  });

  it('do not write one image of snapshots at once; a replay from it goes on', () => {
    const path = copyOf('snapshots');
    expect(palindrome('checkpoint', 'add', path, '--every', '250k').status).toBe(0);
    expect(palindrome('snapshot', 'create', path, 'a', '--at', '5600000').status).toBe(0);
    const image = `${path}.qcow2`;
    // This process holds it.
    const { pid } = process;
    writeFileSync(`${image}.lock`, JSON.stringify({ pid, began: null, host: readFileSync('/proc/sys/kernel/hostname', 'utf8').trim() }));
    expect(refusal('snapshot', 'delete', path, 'a')).toContain(`${image} is being written by process ${pid}`);
    expect(palindrome('snapshot', 'list', path).stdout).toContain('5600000');
    const from = summary('replay', path, '--icount', 'rrsnapshot=a');
    rmSync(`${image}.lock`);
    const whole = summary('replay', path);
    expect([from.icount, from.digest, from.events]).toEqual([whole.icount, whole.digest, whole.events]);
    expect(palindrome('snapshot', 'delete', path, 'a').status).toBe(0);
  });
});

describe('snapshot create', () => {
  it('begins at the nearest checkpoint, with the same state', () => {
    const path = copyOf('near');
    const create = (name: string) => JSON.parse(palindrome('snapshot', 'create', path, name, '--at', '5700000', '--json').stdout);
    const far = create('far') as { startedAt?: number; digest: string };
    expect(palindrome('checkpoint', 'add', path, '--every', '500k').status).toBe(0);
    const near = create('near') as { startedAt?: number; digest: string };
    expect([far.startedAt, near.digest]).toEqual([0, far.digest]);
    expect(near.startedAt).toBeGreaterThan(5_000_000);
    expect(palindrome('snapshot', 'create', path, 'never', '--at', '99000000').stderr).toContain('the recording ends at instruction');
  });
});

describe('a store with a flipped bit', () => {
  it('costs speed, not the recording, at any of many places', () => {
    const path = copyOf('flipped');
    expect(palindrome('checkpoint', 'add', path, '--every', '400k').status).toBe(0);
    const whole = readFileSync(`${path}.checkpoints`);
    const place = 5_250_123;
    const { digest } = summary('replay', path, '--until', String(place), '--from-start');
    const job = replayJob({ log: path, jit: 'on', json: true } as Parameters<typeof replayJob>[0]);
    const seed = 20_261_121;
    let state = seed;
    let noticed = 0;
    for (let k = 0; k < 12; k++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const at = Math.floor((state / 2 ** 32) * whole.length);
      const bytes = Buffer.from(whole);
      bytes[at]! ^= 1 << (k & 7);
      writeFileSync(`${path}.checkpoints`, bytes);
      const timeline = new Timeline({ ...job, log: path, inputs: job.inputs ?? [] });
      timeline.seek(place);
      const what = `seed ${seed}, byte ${at}`;
      expect([what, timeline.icount, digestMachine(timeline.machine.parts, timeline.machine.memory.u8).total]).toEqual([
        what,
        place,
        digest,
      ]);
      if (timeline.complaints.length > 0) noticed++;
      timeline.close();
    }
    expect(noticed).toBeGreaterThan(1);
  });
});
