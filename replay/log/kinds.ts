/**
 * Event kinds of a log, independent of the numbers that each QEMU release gives them (tables.ts). Dense, for switches and counters.
 * Names are those of QEMU's replay events without the EVENT_ prefix.
 */
export const EventKind = {
  INSTRUCTION: 0,
  INTERRUPT: 1,
  EXCEPTION: 2,
  BH: 3,
  BH_ONESHOT: 4,
  INPUT: 5,
  INPUT_SYNC: 6,
  CHAR_READ: 7,
  BLOCK: 8,
  NET: 9,
  SHUTDOWN: 10,
  CHAR_WRITE: 11,
  CHAR_READ_ALL: 12,
  CHAR_READ_ALL_ERROR: 13,
  AUDIO_OUT: 14,
  AUDIO_IN: 15,
  RANDOM: 16,
  CLOCK: 17,
  CHECKPOINT: 18,
  END: 19,
  /** No event: before the first and behind the last. */
  NONE: 20,
} as const;
export type EventKind = (typeof EventKind)[keyof typeof EventKind];

/** Names of the kinds that have no sub id in their name; CLOCK and CHECKPOINT take theirs from the lists below. */
export const KIND_NAMES: readonly string[] = [
  'INSTRUCTION',
  'INTERRUPT',
  'EXCEPTION',
  'ASYNC_BH',
  'ASYNC_BH_ONESHOT',
  'ASYNC_INPUT',
  'ASYNC_INPUT_SYNC',
  'ASYNC_CHAR_READ',
  'ASYNC_BLOCK',
  'ASYNC_NET',
  'SHUTDOWN',
  'CHAR_WRITE',
  'CHAR_READ_ALL',
  'CHAR_READ_ALL_ERROR',
  'AUDIO_OUT',
  'AUDIO_IN',
  'RANDOM',
  'CLOCK',
  'CHECKPOINT',
  'END',
];

/** Clocks by id. */
export const CLOCK_NAMES: readonly string[] = ['CLOCK_HOST', 'CLOCK_VIRTUAL_RT'];

/** Checkpoints by id (numbers since QEMU 2.6); the last is 2.5's only warp checkpoint, which later releases split in two. */
export const CHECKPOINT_NAMES: readonly string[] = [
  'CP_WARP_START',
  'CP_WARP_ACCOUNT',
  'CP_RESET_REQUESTED',
  'CP_SUSPEND_REQUESTED',
  'CP_CLOCK_VIRTUAL',
  'CP_CLOCK_HOST',
  'CP_CLOCK_VIRTUAL_RT',
  'CP_INIT',
  'CP_RESET',
  'CP_CLOCK_WARP',
];

/** Shutdown causes by sub id: QEMU 7.2's numbers, then what only older releases have. */
export const SHUTDOWN_CAUSES = [
  'none',
  'host-error',
  'host-qmp-quit',
  'host-qmp-system-reset',
  'host-signal',
  'host-ui',
  'guest-shutdown',
  'guest-reset',
  'guest-panic',
  'subsystem-reset',
  'snapshot-load',
  /** 2.10 to 3.1: quit or system_reset over QMP. */
  'host-qmp',
  /** Before 2.10 no cause is recorded. */
  'unspecified',
] as const;
export type LogShutdownCause = (typeof SHUTDOWN_CAUSES)[number];

export function isAsync(kind: number): boolean {
  return kind >= EventKind.BH && kind <= EventKind.NET;
}

/** Name of an event, e.g. `CP_WARP_ACCOUNT`; `sub` is the clock or checkpoint id. */
export function eventName(kind: number, sub: number): string {
  if (kind === EventKind.CLOCK) return CLOCK_NAMES[sub]!;
  if (kind === EventKind.CHECKPOINT) return CHECKPOINT_NAMES[sub]!;
  return KIND_NAMES[kind]!;
}

/** Sub id of a shutdown cause. */
export function shutdownCauseSub(cause: LogShutdownCause): number {
  return SHUTDOWN_CAUSES.indexOf(cause);
}
