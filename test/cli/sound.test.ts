// Oracle: the project's description of record/replay (audio is recorded and replayed; -soundhw ac97); self-consistency
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { palindrome, summary, temporaryFolder } from '../cli.js';
import { ac97Rom, SLEEPING } from '../devices/ac97-guest.js';
import { QEMU_PC } from '../machines.js';
import { SYSTEM } from '../monitor/qmp-program.js';
import { PATIENCE_MS } from '../tools.js';

const folder = temporaryFolder();
const file = (name: string): string => join(folder, name);
const rom = ac97Rom(folder, [2, SLEEPING]);
const log = file('a.rr');

/** Runs the guest with QEMU's command line; gives what it said on stderr. */
function system(mode: 'record' | 'replay', ...sound: readonly string[]): string {
  const guest = ['-cpu', 'qemu32,-apic', '-m', '4', '-nodefaults', '-no-reboot', '-bios', rom];
  const icount = ['-icount', `shift=7,rr=${mode},rrfile=${log}`, '-device', 'isa-debug-exit,iobase=0xf4,iosize=1'];
  const { stderr, status } = spawnSync(process.execPath, [SYSTEM, ...QEMU_PC, ...guest, ...icount, ...sound], {
    ...{ encoding: 'utf8', timeout: PATIENCE_MS, cwd: folder },
  });
  return status === 0 ? stderr : `status ${status}: ${stderr}`;
}

it('what a recorded guest plays is heard again in every replay, from LOG.json alone as well', () => {
  expect(system('record', '-audio', `wav,model=ac97,path=${file('recorded.wav')}`)).toBe('');
  const sound = readFileSync(file('recorded.wav'));
  expect(sound.length).toBeGreaterThan(10_000);
  expect(system('replay', '-audio', `wav,model=ac97,path=${file('system.wav')}`)).toBe('');
  expect(readFileSync(file('system.wav')).equals(sound)).toBe(true);
  const whole = summary('replay', log, '--audiodev', `wav,id=x,path=${file('replayed.wav')}`);
  expect(whole).toMatchObject({ status: 0, stop: 'shutdown', divergence: null });
  expect(readFileSync(file('replayed.wav')).equals(sound)).toBe(true);
  // Nobody writes over the file of the recording.
  expect(summary('replay', log)).toMatchObject({ digest: whole.digest });
  expect(readFileSync(file('recorded.wav')).equals(sound)).toBe(true);
  expect(palindrome('log', 'stat', log).stdout).toMatch(/AUDIO_OUT +\d\d/);
});

it('-soundhw ac97 is the card without a file, which can record', () => {
  expect(system('record', '-soundhw', 'ac97')).toBe('');
  expect(system('replay', '-soundhw', 'ac97')).toBe('');
  expect(existsSync(file('qemu.wav'))).toBe(false);
  expect(palindrome('log', 'stat', log).stdout).toMatch(/AUDIO_IN +\d\d/);
  expect(palindrome('replay', log, '--audiodev', 'none,id=a,out.frequency=48000')).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('gives outHz = 48000, but it was recorded with 44100'),
  });
});

it('files that cannot be used are named', () => {
  for (const [audiodev, why] of [
    [`wav,id=a,path=${file('no/where.wav')}`, 'no such file'],
    [`none,id=a,in.path=${rom}`, 'not a WAV file'],
    [`none,id=a,in.path=${folder}`, ''],
    [`none,id=a,in.path=${file('recorded.wav')},in.frequency=8000`, '44100 frames per second, where 8000 were expected'],
  ] as const) {
    const { status, stderr } = palindrome('run', '--nodefaults', '--bios', rom, '--audiodev', audiodev, '--device', 'AC97,audiodev=a');
    expect(status).toBe(2);
    expect(stderr.toLowerCase()).toContain(why.toLowerCase());
    expect(stderr).toMatch(/^palindrome: --audiodev [^\n]*\n$/);
  }
});
