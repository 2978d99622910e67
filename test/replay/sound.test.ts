// Oracle: self-consistency (what was recorded of a guest's sound, beside its replays)
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeEvent } from '../../replay/log/copy.js';
import { decodeEvent, type LogEvent } from '../../replay/log/events.js';
import { openLog } from '../../replay/log/reader.js';
import { createLog } from '../../replay/log/writer.js';
import { DivergenceError } from '../../src/core/errors.js';
import { replayedAudio } from '../../src/machine/audio-options.js';
import { configure, type MachineConfig } from '../../src/machine/config.js';
import { describeDevices } from '../../src/machine/describe-devices.js';
import { temporaryFolder } from '../cli.js';
import { ac97Machine, ac97Rom, CLOSING, noise, SLEEPING } from '../devices/ac97-guest.js';
import { Replaying } from '../machine/replaying.js';
import { record, replay } from './scripted.js';

const FAR = 2 ** 40;
const SHIFT = 10;
const RING_FRAMES = 1024;
const folder = temporaryFolder();
const file = (name: string): string => join(folder, name);
writeFileSync(file('noise.wav'), noise());

const rom = ac97Rom(folder, [CLOSING, 3, 5, SLEEPING]);
const audiodev = `wav,id=a,path=${file('recorded.wav')},in.path=${file('noise.wav')}`;
const recording = record(file('a.rr'), configure(ac97Machine(rom, file('trace'), SHIFT, audiodev)), '5.2', FAR, []);
const { config, final } = recording;
const recordedSound = readFileSync(file('recorded.wav'));

/** The machine as it is replayed, heard in another file. */
function heardIn(name: string): MachineConfig {
  return { ...config, audio: replayedAudio(config.audio!, [`wav,id=b,path=${file(name)}`]) };
}

function replaying(name: string, jit: 'off' | 'on' | 'force', log = recording.log, strict = true): Replaying {
  return new Replaying({ log, config: heardIn(name), strict }, jit);
}

it.each(['off', 'on', 'force'] as const)('it is replayed and heard as it was recorded (translation %s)', (jit) => {
  expect(recordedSound.length).toBeGreaterThan(20_000);
  expect(replay({ ...recording, config: heardIn(`${jit}.wav`) }, { jit })).toMatchObject({ stop: 'shutdown', digest: final.digest });
  expect(readFileSync(file(`${jit}.wav`)).equals(recordedSound)).toBe(true);
});

it('the card is listed among the devices', () => {
  const machine = replaying('listed.wav', 'off');
  expect(describeDevices(machine.machine).join('\n')).toContain('addr 02.0: Intel 82801AA AC97 Audio, class 0401, pci id 8086:2415');
  machine.close();
});

/** Instruction counts at which there is an event of sound. */
function soundEvents(): number[] {
  const cursor = openLog(recording.log);
  const found: number[] = [];
  while (cursor.next()) if (/^audio/.test(decodeEvent(cursor).kind)) found.push(cursor.icount);
  cursor.close();
  return [...new Set(found)];
}

it('it goes on from machine to machine, saved and restored around audio ticks, and goes back', () => {
  const machines = [replaying('first.wav', 'off'), replaying('second.wav', 'force')];
  const middle = soundEvents().flatMap((icount, k) => (k % 3 === 0 ? [icount, icount + 200] : []));
  let kept: ReturnType<Replaying['save']> | null = null;
  middle.forEach((icount, k) => {
    machines[k % 2]!.run(icount);
    const state = machines[k % 2]!.save();
    machines[(k + 1) % 2]!.restore(state);
    if (k === Math.floor(middle.length / 3)) kept = state;
  });
  for (const machine of machines) {
    machine.restore(kept!);
    machine.run(null);
    expect(machine.digest().total).toBe(final.digest);
    machine.close();
  }
  // Between them they have heard all of it.
  const heard = ['first.wav', 'second.wav'].map((name) => readFileSync(file(name)));
  for (let at = 0; at < recordedSound.length; at++)
    if (!heard.some((sound) => sound[at] === recordedSound[at])) expect(`byte ${at} was not heard`).toBe('');
});

/** The log with one of its events of a kind replaced (null: left out). */
function changed(name: string, kind: LogEvent['kind'], change: (e: LogEvent) => LogEvent | null): string {
  const cursor = openLog(recording.log);
  const writer = createLog(file(name), '5.2');
  let seen = 0;
  let icount = 0;
  while (cursor.next()) {
    const e = decodeEvent(cursor);
    icount = cursor.icount;
    if (e.kind === 'end') break;
    const other = e.kind === kind && ++seen === 8 ? change(e) : e;
    if (other !== null) writeEvent(writer, icount, other, 0);
  }
  cursor.close();
  writer.finish(icount, { shutdown: false });
  writer.close();
  return file(name);
}

function divergence(log: string, strict: boolean): string {
  const machine = replaying('hostile.wav', 'off', log, strict);
  try {
    machine.run(null);
    return 'none';
  } catch (e) {
    if (e instanceof DivergenceError) return e.message;
    throw e;
  } finally {
    machine.close();
  }
}

describe.each([true, false])('a log that claims what cannot be is found out (our own: %s)', (strict) => {
  const out = (change: Partial<Extract<LogEvent, { kind: 'audio-out' }>>) => (e: LogEvent) => ({ ...e, ...change }) as LogEvent;
  const recorded = (change: Partial<Extract<LogEvent, { kind: 'audio-in' }>>) => (e: LogEvent) => ({ ...e, ...change }) as LogEvent;
  const withSample = (high: number): Uint8Array => {
    const samples = new Uint8Array(16);
    new DataView(samples.buffer).setInt32(0, high);
    return samples;
  };
  it.each([
    ['more played than there was', 'audio-out', out({ played: 1025 }), 'Missing audio out event'],
    ['more played than can be counted', 'audio-out', out({ played: 2 ** 52 }), 'Missing audio out event'],
    ['nothing played', 'audio-out', () => null, 'Missing audio out event'],
    ['nothing recorded', 'audio-in', () => null, 'Missing audio in event'],
    ['more than the ring', 'audio-in', recorded({ recorded: 1025, samples: new Uint8Array(1025 * 16) }), 'with room for'],
    ['another place', 'audio-in', recorded({ recorded: 1, writePosition: RING_FRAMES, samples: new Uint8Array(16) }), 'frames of sound at'],
    ['a sample of 33 bits', 'audio-in', recorded({ recorded: 1, samples: withSample(1) }), 'frames of sound at'],
  ] as const)('%s', (name, kind, change, words) => {
    expect(divergence(changed(`${name}.rr`, kind, change), strict)).toContain(words);
  });
});

it('fewer frames than there was room for are what another back-end took, in a log that is not our own', () => {
  const log = changed('fewer.rr', 'audio-out', (e) => ({ ...e, played: 0 }) as LogEvent);
  expect(divergence(log, true)).toContain('Missing audio out event');
  // The guest then has more left to play than it had.
  expect(divergence(log, false)).toContain('CHAR_WRITE');
});
