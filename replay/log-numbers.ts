import type { AsyncEvent, ShutdownCause } from '../src/core/machine-view.js';

/** The log formats that we record: named by the QEMU release that the numbers are taken from. */
export type LogFormat = '5.2' | '7.2';

/** Event ids of a format: the first of each range. 0, 1 and 2 (INSTRUCTION, INTERRUPT, EXCEPTION) and 3 (ASYNC) are the same everywhere. */
export interface RecordFormat {
  readonly version: number;
  /** One ASYNC id with checkpoint and kind bytes behind it, instead of an id per kind. */
  readonly asyncGroup: boolean;
  readonly shutdown: number;
  readonly charWrite: number;
  readonly random: number;
  readonly clock: number;
  readonly checkpoint: number;
  readonly end: number;
}

export const FORMATS: Readonly<Record<LogFormat, RecordFormat>> = {
  '5.2': { version: 0xe0200a, asyncGroup: true, shutdown: 4, charWrite: 15, random: 20, clock: 21, checkpoint: 23, end: 32 },
  '7.2': { version: 0xe0200c, asyncGroup: false, shutdown: 10, charWrite: 22, random: 27, clock: 28, checkpoint: 30, end: 39 },
};

/** In the order of their numbers. */
export const ASYNC_KINDS: readonly AsyncEvent['kind'][] = ['bh', 'bh-oneshot', 'input', 'input-sync', 'char-read', 'block', 'net'];

export const SHUTDOWN_CAUSES: readonly ShutdownCause[] = [
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
];
