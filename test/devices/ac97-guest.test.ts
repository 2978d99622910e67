// Oracle: QEMU run (7.2.22): what a guest sees of its sound card, when, and what is heard of it
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configure } from '../../src/machine/config.js';
import { palindrome, temporaryFolder } from '../cli.js';
import { Replaying } from '../machine/replaying.js';
import { record } from '../replay/scripted.js';
import { requireTool } from '../tools.js';
import { ac97Machine, ac97Rom, CLOSING, noise, POLLING, runQemu, SLEEPING } from './ac97-guest.js';

/** More than any of the guests executes. */
const FAR = 2 ** 40;
/** An instruction takes a microsecond: few of them fill the time that sound takes. */
const SHIFT = 10;
const folder = temporaryFolder();
const file = (name: string): string => join(folder, name);

/** Records the guest here; gives the log. */
function ours(rom: string, name: string, shift: number, audiodev: string): string {
  const log = file(`${name}.rr`);
  record(log, configure(ac97Machine(rom, file(name), shift, audiodev)), '7.2', FAR, []);
  return log;
}

/** Replays a log of QEMU's. */
function follow(log: string, rom: string, name: string, audiodev: string, jit: 'off' | 'force'): void {
  const replaying = new Replaying({ log, config: configure(ac97Machine(rom, file(name), SHIFT, audiodev)), strict: false }, jit);
  expect(replaying.run(null)).toMatchObject({ stop: 'shutdown', shutdownCause: 'guest-shutdown' });
  replaying.close();
}

describe.skipIf(!requireTool('qemu-system-i386', 'qemu-system-x86'))('a guest that plays and records', () => {
  it.each([
    [SHIFT, POLLING],
    [8, [4, 8, 3, 5, 7, 2, CLOSING, 1, 0]],
  ])('reads the same registers and takes the same interrupts at the same times (shift=%i)', (shift, experiments) => {
    const rom = ac97Rom(folder, experiments);
    runQemu(rom, file('theirs'), `shift=${shift}`, 'none,id=a');
    ours(rom, 'ours', shift, 'none,id=a');
    const trace = readFileSync(file('theirs'));
    expect(trace.length).toBeGreaterThan(4000);
    expect(readFileSync(file('ours')).equals(trace)).toBe(true);
  });

  it('is heard the same in a WAV file, and so is the recording that QEMU made of it', () => {
    const rom = ac97Rom(folder, [CLOSING, ...POLLING.filter((n) => n !== CLOSING)]);
    const rate = 'out.frequency=32000';
    runQemu(rom, file('heard'), `shift=${SHIFT},rr=record,rrfile=${file('heard.rr')}`, `wav,id=a,path=${file('theirs.wav')},${rate}`);
    ours(rom, 'here', SHIFT, `wav,id=a,path=${file('ours.wav')},${rate}`);
    const sound = readFileSync(file('theirs.wav'));
    expect(sound.length).toBeGreaterThan(50_000);
    expect(readFileSync(file('here')).equals(readFileSync(file('heard')))).toBe(true);
    expect(readFileSync(file('ours.wav')).equals(sound)).toBe(true);
    follow(file('heard.rr'), rom, 'again', `wav,id=a,path=${file('again.wav')},${rate}`, 'off');
    expect(readFileSync(file('again.wav')).equals(sound)).toBe(true);
    expect(readFileSync(file('again')).equals(readFileSync(file('heard')))).toBe(true);
  });

  it.each(['off', 'force'] as const)('and sleeps meanwhile, recorded by QEMU, is replayed (translation %s)', (jit) => {
    const rom = ac97Rom(folder, [SLEEPING]);
    runQemu(rom, file('asleep'), `shift=${SHIFT},rr=record,rrfile=${file('asleep.rr')}`, 'none,id=a');
    follow(file('asleep.rr'), rom, 'followed', 'none,id=a', jit);
    expect(readFileSync(file('followed')).equals(readFileSync(file('asleep')))).toBe(true);
  });

  it('and is served so seldom that whole rings are recorded, sees the same, and is replayed', () => {
    const rom = ac97Rom(folder, [2, 3, 5]);
    const seldom = 'none,id=a,timer-period=40000,in.frequency=48000';
    runQemu(rom, file('theirs'), `shift=${SHIFT},rr=record,rrfile=${file('whole.rr')}`, seldom);
    ours(rom, 'ours', SHIFT, seldom);
    expect(readFileSync(file('ours')).equals(readFileSync(file('theirs')))).toBe(true);
    follow(file('whole.rr'), rom, 'followed', seldom, 'off');
    expect(readFileSync(file('followed')).equals(readFileSync(file('theirs')))).toBe(true);
    expect(palindrome('log', 'dump', file('whole.rr')).stdout).toContain('AUDIO_IN 1024 recorded');
  });

  it('and hears noise, recorded here, is replayed by QEMU: it finds the same in its memory', () => {
    writeFileSync(file('noise.wav'), noise());
    const rom = ac97Rom(folder, POLLING);
    const log = ours(rom, 'noisy', SHIFT, `none,id=a,in.path=${file('noise.wav')}`);
    runQemu(rom, file('theirs'), `shift=${SHIFT},rr=replay,rrfile=${log}`, 'none,id=a');
    const trace = readFileSync(file('noisy'));
    expect(readFileSync(file('theirs')).equals(trace)).toBe(true);
    ours(rom, 'silent', SHIFT, 'none,id=a');
    const silent = readFileSync(file('silent'));
    expect(silent.length).toBe(trace.length);
    expect(silent.subarray(-4).equals(trace.subarray(-4))).toBe(false);
  });
});
