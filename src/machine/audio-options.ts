import { UserError } from '../core/errors.js';
import { known, onlyKeys, parseKeyValues, parseNumber } from './keyval.js';

/** Where the sound goes. `append`: into what the file has. */
export type AudioTarget = { readonly kind: 'none' } | { readonly kind: 'wav'; readonly path: string; readonly append?: boolean };

/** The sound card's back-end. */
export interface AudioConfig {
  /** What a guest can tell: how often it is served, its rates, and whether it can record at all (null: no). */
  readonly periodUs: number;
  readonly outHz: number;
  readonly inHz: number | null;
  readonly target: AudioTarget;
  /** A WAV file that is recorded; absent: silence. */
  readonly source?: string;
}

/** One `--audiodev`. What is not given is null. */
interface Audiodev {
  readonly text: string;
  readonly id: string;
  readonly target: AudioTarget;
  readonly source: string | null;
  readonly periodUs: number | null;
  readonly outHz: number | null;
  readonly inHz: number | null;
}

const OPTION = '--audiodev';
const DRIVERS = ['none', 'wav'] as const;
/** QEMU's. */
const DEFAULTS = { periodUs: 10_000, outHz: 44_100, inHz: 44_100 } as const;
/** QEMU's default of its wav driver. */
const DEFAULT_PATH = 'qemu.wav';
/** Properties that may be given as long as they change nothing. */
const FIXED: Readonly<Record<string, string>> = {
  channels: '2',
  format: 's16',
  voices: '1',
  'mixing-engine': 'on',
  'fixed-settings': 'on',
};
const DIRECTIONS = ['in', 'out'] as const;
const KEYS = [
  ...['driver', 'id', 'path', 'timer-period', 'in.frequency', 'in.path', 'out.frequency'],
  ...DIRECTIONS.flatMap((direction) => Object.keys(FIXED).map((key) => `${direction}.${key}`)),
];

function audiodev(text: string): Audiodev {
  const found = parseKeyValues(OPTION, text, 'driver');
  const driver = known(OPTION, found.driver ?? '', DRIVERS);
  onlyKeys(OPTION, found, KEYS);
  const wrong = (what: string): never => {
    throw new UserError('bad-option', `${OPTION} ${text}: ${what}`);
  };
  if (!found.id) wrong("Parameter 'id' is missing");
  if (driver !== 'wav' && found.path !== undefined) wrong("Parameter 'path' is unexpected");
  if (found.path === '' || found['in.path'] === '') wrong('the name of a file is empty');
  for (const direction of DIRECTIONS)
    for (const [key, value] of Object.entries(FIXED))
      known(`${OPTION} ${direction}.${key}`, found[`${direction}.${key}`] ?? value, [value]);
  const number = (key: string, least: number, most: number): number | null => {
    const given = found[key];
    if (given === undefined) return null;
    const value = parseNumber(`${OPTION} ${key}`, given, most);
    return value < least ? wrong(`${key} is to be at least ${least}`) : value;
  };
  return {
    text,
    id: found.id!,
    target: driver === 'none' ? { kind: 'none' } : { kind: 'wav', path: found.path ?? DEFAULT_PATH },
    source: found['in.path'] ?? null,
    periodUs: number('timer-period', 100, 10_000_000),
    outHz: number('out.frequency', 8_000, 192_000),
    inHz: number('in.frequency', 8_000, 192_000),
  };
}

function audiodevs(texts: readonly string[]): Audiodev[] {
  const all = texts.map(audiodev);
  const twice = all.find(({ id }, at) => all.findIndex((other) => other.id === id) < at);
  if (twice !== undefined) throw new UserError('bad-option', `${OPTION} ${twice.text}: Duplicate ID '${twice.id}' for audiodev`);
  return all;
}

/**
 * The back-end of the sound card. Throws UserError naming the option.
 * @param wanted the one that the card names; null: the first, or QEMU's default
 */
export function audioConfig(texts: readonly string[], wanted: string | null): AudioConfig {
  const all = audiodevs(texts);
  const found = wanted === null ? all[0] : all.find(({ id }) => id === wanted);
  if (found === undefined) {
    if (wanted !== null) throw new UserError('bad-option', `--device AC97: Property 'AC97.audiodev' can't find value '${wanted}'`);
    return { ...DEFAULTS, target: { kind: 'none' } };
  }
  const { target, source } = found;
  // QEMU's wav driver cannot record.
  const records = target.kind === 'none' || source !== null;
  return {
    periodUs: found.periodUs ?? DEFAULTS.periodUs,
    outHz: found.outHz ?? DEFAULTS.outHz,
    inHz: records ? (found.inHz ?? DEFAULTS.inHz) : null,
    target,
    ...(source === null ? {} : { source }),
  };
}

/** Checks options of a machine without a sound card, for which they do nothing. Throws UserError. */
export function unusedAudiodevs(texts: readonly string[]): void {
  audiodevs(texts);
}

/** A sound card that nobody hears, and that hears nothing: as it is when its recording is replayed. */
export function unheardSound<T extends { readonly audio?: AudioConfig }>(config: T): T {
  return config.audio === undefined ? config : { ...config, audio: replayedAudio(config.audio, []) };
}

/** The back-end of a card that is replayed: what a guest can tell of it is the recording's; the sound goes where `texts` say. Throws UserError when they say otherwise. */
export function replayedAudio(recorded: AudioConfig, texts: readonly string[]): AudioConfig {
  const given = audiodevs(texts)[0];
  const { periodUs, outHz, inHz } = recorded;
  if (given === undefined) return { periodUs, outHz, inHz, target: { kind: 'none' } };
  for (const name of ['periodUs', 'outHz', 'inHz'] as const)
    if (given[name] !== null && given[name] !== recorded[name])
      throw new UserError(
        'option-mismatch',
        `${OPTION} ${given.text}: gives ${name} = ${given[name]}, but it was recorded with ${recorded[name]}; leave it out`,
      );
  return { periodUs, outHz, inHz, target: given.target, ...(given.source === null ? {} : { source: given.source }) };
}
