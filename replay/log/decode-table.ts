import { EventKind, shutdownCauseSub } from './kinds.js';
import type { Numbering } from './tables.js';

/** Marks of `kinds` for ids that are no event. */
export const UNKNOWN_ID = 255;
/** Id 3 of generation A: checkpoint and kind bytes follow. */
export const ASYNC_GROUP = 254;
/** Mark of `sizes`: the length is found in the event. */
export const VARIABLE = 0;

/** What a reader needs per event id (the first byte of an event). */
export interface DecodeTable {
  /** EventKind, ASYNC_GROUP or UNKNOWN_ID. */
  readonly kinds: Uint8Array;
  /** Clock id, checkpoint id or shutdown cause. */
  readonly subs: Uint8Array;
  /** Bytes of the whole event with its id, or VARIABLE. */
  readonly sizes: Uint8Array;
}

/** Bytes behind the id of the kinds that always have the same length; the others are VARIABLE. */
const FIXED_PAYLOADS: ReadonlyMap<number, number> = new Map([
  [EventKind.INSTRUCTION, 4],
  [EventKind.INTERRUPT, 0],
  [EventKind.EXCEPTION, 0],
  [EventKind.BH, 8],
  [EventKind.BH_ONESHOT, 8],
  [EventKind.INPUT_SYNC, 0],
  [EventKind.BLOCK, 8],
  [EventKind.SHUTDOWN, 0],
  [EventKind.CHAR_WRITE, 8],
  [EventKind.CHAR_READ_ALL_ERROR, 4],
  [EventKind.CLOCK, 8],
  [EventKind.CHECKPOINT, 0],
  [EventKind.END, 0],
]);

const tables = new Map<Numbering, DecodeTable>();

/** A numbering unrolled into one entry per id. */
export function decodeTable(n: Numbering): DecodeTable {
  let table = tables.get(n);
  if (table === undefined) {
    table = unroll(n);
    tables.set(n, table);
  }
  return table;
}

function unroll(n: Numbering): DecodeTable {
  const kinds = new Uint8Array(256).fill(UNKNOWN_ID);
  const subs = new Uint8Array(256);
  const sizes = new Uint8Array(256);
  const define = (id: number, kind: number, sub = 0): void => {
    kinds[id] = kind;
    subs[id] = sub;
    const payload = kind === EventKind.AUDIO_OUT ? n.audioCounterBytes : FIXED_PAYLOADS.get(kind);
    sizes[id] = payload === undefined ? VARIABLE : 1 + payload;
  };
  define(0, EventKind.INSTRUCTION);
  define(1, EventKind.INTERRUPT);
  define(2, EventKind.EXCEPTION);
  if (n.generation === 'A') define(3, ASYNC_GROUP);
  else for (const [i, kind] of n.asyncKinds.entries()) define(3 + i, kind);
  for (const [i, cause] of n.causes.entries()) define(n.shutdown + i, EventKind.SHUTDOWN, shutdownCauseSub(cause));
  if (n.charWrite !== null) {
    define(n.charWrite, EventKind.CHAR_WRITE);
    define(n.charWrite + 1, EventKind.CHAR_READ_ALL);
    define(n.charWrite + 2, EventKind.CHAR_READ_ALL_ERROR);
  }
  if (n.audioOut !== null) {
    define(n.audioOut, EventKind.AUDIO_OUT);
    define(n.audioOut + 1, EventKind.AUDIO_IN);
  }
  if (n.random !== null) define(n.random, EventKind.RANDOM);
  define(n.clock, EventKind.CLOCK, 0);
  define(n.clock + 1, EventKind.CLOCK, 1);
  for (const [i, sub] of n.checkpoints.entries()) define(n.checkpoint + i, EventKind.CHECKPOINT, sub);
  define(n.end, EventKind.END);
  return { kinds, subs, sizes };
}
