import { UserError } from '../../src/core/errors.js';
import { EventKind, type LogShutdownCause, SHUTDOWN_CAUSES } from './kinds.js';

/** The two formats that can be written, named by the QEMU release whose numbers they use. */
export type LogFormat = '5.2' | '7.2';

/**
 * How one or more QEMU releases number their events. Ids 0, 1, 2 are INSTRUCTION, INTERRUPT, EXCEPTION everywhere. Ranges are given by their first id;
 * null: the release has no such event.
 */
export interface Numbering {
  /** Header version. Several numberings can share one. */
  readonly version: number;
  /** QEMU releases that write it. */
  readonly release: string;
  /** A: one ASYNC id with checkpoint and kind bytes behind it (to 7.0). B: an id per kind (since 7.1). */
  readonly generation: 'A' | 'B';
  readonly asyncKinds: readonly number[];
  readonly shutdown: number;
  readonly causes: readonly LogShutdownCause[];
  /** Followed by CHAR_READ_ALL and CHAR_READ_ALL_ERROR. */
  readonly charWrite: number | null;
  /** Followed by AUDIO_IN. */
  readonly audioOut: number | null;
  /** Bytes of the counters in AUDIO events: 4 before QEMU 4.2. */
  readonly audioCounterBytes: 4 | 8;
  readonly random: number | null;
  readonly clock: number;
  readonly checkpoint: number;
  /** Checkpoint names by their number here, as sub ids of kinds.ts. */
  readonly checkpoints: readonly number[];
  readonly end: number;
}

const K = EventKind;
const ASYNC_2_5 = [K.BH, K.INPUT, K.INPUT_SYNC];
const ASYNC_2_6 = [...ASYNC_2_5, K.CHAR_READ, K.BLOCK];
const ASYNC_2_9 = [...ASYNC_2_6, K.NET];
const ASYNC_4_2 = [K.BH, K.BH_ONESHOT, K.INPUT, K.INPUT_SYNC, K.CHAR_READ, K.BLOCK, K.NET];

const CHECKPOINTS_2_5 = [9, 2, 3, 4, 5, 6, 7, 8];
const CHECKPOINTS_2_6 = [0, 1, 2, 3, 4, 5, 6, 7, 8];

const CAUSES_7_2: readonly LogShutdownCause[] = SHUTDOWN_CAUSES.slice(0, 11);
const CAUSES_4_0 = CAUSES_7_2.slice(0, 10);
const CAUSES_3_0: readonly LogShutdownCause[] = [
  'none',
  'host-error',
  'host-qmp',
  'host-signal',
  'host-ui',
  'guest-shutdown',
  'guest-reset',
  'guest-panic',
  'subsystem-reset',
];
const CAUSES_2_10 = CAUSES_3_0.slice(0, 8);
const NO_CAUSE: readonly LogShutdownCause[] = ['unspecified'];

const GENERATION_A = { generation: 'A', checkpoints: CHECKPOINTS_2_6, random: null, audioCounterBytes: 8 } as const;

const QEMU_2_5: Numbering = {
  ...GENERATION_A,
  version: 0xe02002,
  release: '2.5',
  asyncKinds: ASYNC_2_5,
  shutdown: 4,
  causes: NO_CAUSE,
  charWrite: null,
  audioOut: null,
  clock: 5,
  checkpoint: 7,
  checkpoints: CHECKPOINTS_2_5,
  end: 15,
};
const QEMU_2_6: Numbering = {
  ...QEMU_2_5,
  version: 0xe02004,
  release: '2.6 to 2.8',
  asyncKinds: ASYNC_2_6,
  charWrite: 5,
  clock: 8,
  checkpoint: 10,
  checkpoints: CHECKPOINTS_2_6,
  end: 19,
};
const QEMU_2_9: Numbering = {
  ...QEMU_2_6,
  version: 0xe02006,
  release: '2.9',
  asyncKinds: ASYNC_2_9,
  audioOut: 8,
  audioCounterBytes: 4,
  clock: 10,
  checkpoint: 12,
  end: 21,
};
const QEMU_2_10: Numbering = {
  ...QEMU_2_9,
  release: '2.10 and 2.11',
  causes: CAUSES_2_10,
  charWrite: 13,
  audioOut: 16,
  clock: 18,
  checkpoint: 20,
  end: 29,
};
const QEMU_2_12: Numbering = { ...QEMU_2_10, version: 0xe02007, release: '2.12' };
const QEMU_3_0: Numbering = {
  ...QEMU_2_12,
  release: '3.0 and 3.1',
  causes: CAUSES_3_0,
  charWrite: 14,
  audioOut: 17,
  clock: 19,
  checkpoint: 21,
  end: 30,
};
const QEMU_4_0: Numbering = {
  ...QEMU_3_0,
  release: '4.0 and 4.1',
  causes: CAUSES_4_0,
  charWrite: 15,
  audioOut: 18,
  clock: 20,
  checkpoint: 22,
  end: 31,
};
const QEMU_4_2: Numbering = { ...QEMU_4_0, version: 0xe02008, release: '4.2', asyncKinds: ASYNC_4_2, audioCounterBytes: 8 };
const QEMU_5_0: Numbering = { ...QEMU_4_2, version: 0xe02009, release: '5.0', random: 20, clock: 21, checkpoint: 23, end: 32 };
const QEMU_5_2: Numbering = { ...QEMU_5_0, version: 0xe0200a, release: '5.1 to 7.0' };
const QEMU_7_1: Numbering = {
  ...QEMU_5_2,
  version: 0xe0200c,
  release: '7.1',
  generation: 'B',
  shutdown: 10,
  charWrite: 21,
  audioOut: 24,
  random: 26,
  clock: 27,
  checkpoint: 29,
  end: 38,
};
const QEMU_7_2: Numbering = {
  ...QEMU_7_1,
  release: '7.2 and later',
  causes: CAUSES_7_2,
  charWrite: 22,
  audioOut: 25,
  random: 27,
  clock: 28,
  checkpoint: 30,
  end: 39,
};

/** Every numbering that a QEMU release has written, newest first. */
export const NUMBERINGS: readonly Numbering[] = [
  QEMU_7_2,
  QEMU_7_1,
  QEMU_5_2,
  QEMU_5_0,
  QEMU_4_2,
  QEMU_4_0,
  QEMU_3_0,
  QEMU_2_12,
  QEMU_2_10,
  QEMU_2_9,
  QEMU_2_6,
  QEMU_2_5,
];

/** The numbering that a format is written with. */
export const FORMAT_NUMBERING: Readonly<Record<LogFormat, Numbering>> = { '5.2': QEMU_5_2, '7.2': QEMU_7_2 };

/** What a log shows of its numbering without being read through. Bytes are null where the file is too short to have them. */
export interface Traits {
  readonly version: number;
  /** The id of the first event. */
  readonly first: number | null;
  readonly last: number | null;
  /** What somebody else knows of an unfinished log (version 0). */
  readonly unfinishedAs?: LogFormat | undefined;
}

/**
 * The numbering of a log. Where several share a version number, the first event tells (reading the host clock for the RTC is the first thing a machine does: the
 * CLOCK base) and else the last byte (END). An unfinished log (version 0) has only its first event. Null when nothing fits.
 */
function numberingOf({ version, first, last, unfinishedAs }: Traits): Numbering | null {
  if (version === 0) {
    if (unfinishedAs !== undefined) return FORMAT_NUMBERING[unfinishedAs];
    return first === null ? QEMU_5_2 : (NUMBERINGS.find((n) => n.clock === first) ?? null);
  }
  const candidates = NUMBERINGS.filter((n) => n.version === version);
  return candidates.find((n) => n.clock === first) ?? candidates.find((n) => n.end === last) ?? candidates[0] ?? null;
}

/** As numberingOf; throws UserError 'log-version' naming the number when it is not known. */
export function identify(name: string, traits: Traits): Numbering {
  const numbering = numberingOf(traits);
  if (numbering !== null) return numbering;
  if (traits.version === 0)
    throw new UserError(
      'log-version',
      `${name}: an unfinished log (version 0) whose first event, id ${traits.first}, does not tell its format`,
    );
  const known = [...new Set(NUMBERINGS.map((n) => hexVersion(n.version)))].reverse().join(', ');
  throw new UserError('log-version', `${name}: log version ${hexVersion(traits.version)} is not known; known versions are ${known}`);
}

/** A header version as users see it, e.g. `0xe0200c`. */
export function hexVersion(version: number): string {
  return `0x${version.toString(16).padStart(6, '0')}`;
}
