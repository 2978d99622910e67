import { renameSync, rmSync, statSync } from 'node:fs';
import { UserError } from '../../src/core/errors.js';
import { writeEvent } from './copy.js';
import { decodeEvent, type LogEvent } from './events.js';
import { reason } from './input.js';
import { CHECKPOINT_NAMES, EventKind, eventName, isAsync, SHUTDOWN_CAUSES } from './kinds.js';
import { FIRST_NEW_QCODE } from './qcodes.js';
import { type LogCursor, openLog } from './reader.js';
import { FORMAT_NUMBERING, hexVersion, type LogFormat } from './tables.js';
import { createLog, type LogWriter } from './writer.js';

const WARP_ACCOUNT = CHECKPOINT_NAMES.indexOf('CP_WARP_ACCOUNT');
const CLOCK_VIRTUAL_RT = 1;
const FIRST_NEW_BUTTON = 9;

/** Where the main loop of generation A delivers: its callbacks see nothing of what keys and characters change. */
const MAIN_LOOP = ['CP_CLOCK_HOST', 'CP_CLOCK_VIRTUAL_RT'].map((name) => CHECKPOINT_NAMES.indexOf(name));
const CP_WARP_START = CHECKPOINT_NAMES.indexOf('CP_WARP_START');
const CP_CLOCK_HOST = CHECKPOINT_NAMES.indexOf('CP_CLOCK_HOST');

const OVERTAKEN = "comes between input that the main loop delivered and the CPU's turn, where QEMU 7.1 and later deliver it";

/** What a conversion read and wrote. */
export interface Conversion {
  readonly eventsRead: number;
  readonly eventsWritten: number;
  readonly instructions: number;
}

/**
 * Rewrites the log `from` in another format as `to`, which appears under its name only when it is whole. An unfinished log stays unfinished, unless only its header was not.
 * The generations differ in where queued asynchronous events stand: A writes them behind the checkpoint that drains the queue, B before CP_WARP_ACCOUNT, the
 * only one that does (LOG format section 4.5). Input that A's main loop delivered moves to that place when the CPU's turn follows before anything that could notice.
 * @param ready called with the name of the finished result just before it replaces `to`
 * @throws UserError 'log-unconvertible' naming the event whose meaning the other format cannot hold.
 */
export function convertLog(from: string, to: string, format: LogFormat, ready?: (part: string, done: Conversion) => void): Conversion {
  refuseSameFile(from, to);
  const cursor = openLog(from);
  const part = `${to}.part-${process.pid}`;
  try {
    checkVersion(cursor, from);
    const writer = createLog(part, format);
    try {
      new Converter(cursor, writer, from, format).run();
    } finally {
      writer.close();
    }
    const done = { eventsRead: cursor.index + 1, eventsWritten: writer.events, instructions: cursor.icount };
    ready?.(part, done);
    rename(part, to);
    return done;
  } catch (e) {
    rmSync(part, { force: true });
    throw e;
  } finally {
    cursor.close();
  }
}

function refuseSameFile(from: string, to: string): void {
  const source = statSync(from, { throwIfNoEntry: false });
  const target = statSync(to, { throwIfNoEntry: false });
  if (source !== undefined && target !== undefined && source.dev === target.dev && source.ino === target.ino)
    throw new UserError('bad-option', `${to} is the log that is read; give another name for the result`);
  if (target !== undefined && !target.isFile()) throw new UserError('file-io', `${to}: not a regular file`);
}

function checkVersion({ numbering }: LogCursor, from: string): void {
  if (numbering.version >= FORMAT_NUMBERING['5.2'].version) return;
  throw new UserError(
    'log-unconvertible',
    `${from}: version ${hexVersion(numbering.version)} (QEMU ${numbering.release}) means other things by its checkpoints than QEMU 5.1 and later`,
  );
}

function rename(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (e) {
    throw new UserError('file-io', `${to}: ${reason(e)}`);
  }
}

class Converter {
  private readonly cursor: LogCursor;
  private readonly writer: LogWriter;
  private readonly name: string;
  private readonly format: LogFormat;
  /** B to A: CP_WARP_ACCOUNT was written before the asynchronous events and is awaited behind them. A to B: it was read and waits for those behind it. */
  private accountPending = false;
  /** A to B: events that the main loop delivered, on their way to the CPU's turn. */
  private readonly waiting: LogEvent[] = [];
  /** A to B: asynchronous events of the pending checkpoint were written. */
  private draining = false;
  /** A to B: the checkpoint that drained was written, and CLOCK virtual_rt just behind it. */
  private accounted = false;

  constructor(cursor: LogCursor, writer: LogWriter, name: string, format: LogFormat) {
    this.cursor = cursor;
    this.writer = writer;
    this.name = name;
    this.format = format;
  }

  run(): void {
    const { cursor } = this;
    const target = FORMAT_NUMBERING[this.format].generation;
    const source = cursor.numbering.generation;
    while (cursor.next()) {
      if (cursor.kind === EventKind.SHUTDOWN) this.checkCause();
      if (cursor.kind === EventKind.INSTRUCTION) this.instruction();
      else if (source === target) this.plain();
      else if (target === 'B') this.toB();
      else this.toA();
    }
    if (this.waiting.length > 0) throw this.refusal(OVERTAKEN);
    if (this.accountPending && source === 'A') this.account();
    this.writer.instructions(cursor.icount);
  }

  /** Positions imply INSTRUCTION events; they end what stood at one instruction. */
  private instruction(): void {
    this.accounted = false;
    if (this.waiting.length > 0) throw this.refusal(OVERTAKEN);
    if (!this.accountPending) return;
    if (this.cursor.numbering.generation === 'B') throw this.refusal('asynchronous events are not followed by CP_WARP_ACCOUNT');
    this.account();
  }

  private plain(): void {
    const { cursor, writer } = this;
    if (cursor.kind === EventKind.END) return writer.finish(cursor.icount, { shutdown: false });
    writeEvent(writer, this.cursor.icount, this.event(), WARP_ACCOUNT);
  }

  private event(): LogEvent {
    const e = decodeEvent(this.cursor);
    if (this.format === '5.2' && isNewInput(e)) throw this.refusal('QEMU 7.0 and earlier do not know this input');
    return e;
  }

  /** Generation A to B: holds CP_WARP_ACCOUNT back until the events that it drains, and what their handlers logged, are written. */
  private toB(): void {
    const { cursor } = this;
    if (isAsync(cursor.kind)) return this.asyncToB();
    if (this.waiting.length > 0 && !this.mayPass(cursor)) throw this.refusal(OVERTAKEN);
    if (this.accountPending && !(this.draining && isHandlerEvent(cursor))) {
      this.account();
      this.accounted = this.draining && isVirtualRt(cursor);
    } else if (this.accounted) {
      if (isVirtualRt(cursor)) throw this.refusal('an asynchronous event started a warp without a checkpoint');
      this.accounted = false;
    }
    if (cursor.kind === EventKind.CHECKPOINT && cursor.sub === WARP_ACCOUNT) {
      for (const e of this.waiting.splice(0)) writeEvent(this.writer, cursor.icount, e, WARP_ACCOUNT);
      this.accountPending = true;
      this.draining = false;
      return;
    }
    this.plain();
  }

  private asyncToB(): void {
    const { checkpoint } = this.cursor;
    if (checkpoint !== WARP_ACCOUNT) return this.wait(checkpoint);
    if (!this.accountPending) throw this.refusal('not directly behind CP_WARP_ACCOUNT and the events that it drains');
    this.draining = true;
    writeEvent(this.writer, this.cursor.icount, this.event(), WARP_ACCOUNT);
  }

  /** Keeps an event that the main loop delivered for the CPU's next turn. */
  private wait(checkpoint: number): void {
    const e = this.event();
    const at = CHECKPOINT_NAMES[checkpoint];
    if (!MAIN_LOOP.includes(checkpoint)) throw this.refusal(`drained at ${at}, where QEMU 7.1 and later never drain`);
    if (!isInput(e)) throw this.refusal(`drained at ${at}, and what a completion or packet does there cannot wait for the CPU's turn`);
    if (isCharacters(e) && checkpoint !== CP_CLOCK_HOST)
      throw this.refusal(`drained at ${at}, and a serial port that got characters looks at the time that passes there`);
    if (this.accountPending) this.account();
    this.waiting.push(e);
  }

  /** Whether the main loop goes on without an effect on the events that wait, nor theirs on it. */
  private mayPass({ kind, sub }: LogCursor): boolean {
    const timeless = !this.waiting.some(isCharacters);
    if (kind === EventKind.CLOCK) return sub !== CLOCK_VIRTUAL_RT || timeless;
    if (kind !== EventKind.CHECKPOINT) return kind === EventKind.SHUTDOWN;
    return sub === WARP_ACCOUNT || sub === CP_CLOCK_HOST || (timeless && (sub === CP_WARP_START || MAIN_LOOP.includes(sub)));
  }

  private account(): void {
    this.writer.checkpoint(this.heldAt, WARP_ACCOUNT);
    this.accountPending = false;
  }

  /** Where the held checkpoint stands: before the instructions of an INSTRUCTION event that came after it. */
  private get heldAt(): number {
    const { cursor } = this;
    return cursor.kind === EventKind.INSTRUCTION ? cursor.icount - cursor.count : cursor.icount;
  }

  /** Generation B to A: writes CP_WARP_ACCOUNT before the events that it drains, and passes over it where it stands behind them. */
  private toA(): void {
    const { cursor } = this;
    const isCheckpoint = cursor.kind === EventKind.CHECKPOINT;
    if (isAsync(cursor.kind)) {
      if (!this.accountPending) this.writer.checkpoint(this.cursor.icount, WARP_ACCOUNT);
      this.accountPending = true;
    } else if (this.accountPending) {
      if (isCheckpoint && cursor.sub === WARP_ACCOUNT) {
        this.accountPending = false;
        return;
      }
      if (!isHandlerEvent(cursor)) throw this.refusal('stands between asynchronous events and the CP_WARP_ACCOUNT that drains them');
    }
    this.plain();
  }

  private checkCause(): void {
    const cause = SHUTDOWN_CAUSES[this.cursor.sub]!;
    if (this.format === '5.2' && cause === 'snapshot-load') throw this.refusal(`QEMU 7.1 and earlier have no shutdown cause ${cause}`);
  }

  private refusal(why: string): UserError {
    const { index, offset, icount, kind, sub } = this.cursor;
    const what = kind === EventKind.NONE ? 'its end' : eventName(kind, sub);
    return new UserError(
      'log-unconvertible',
      `${this.name}: event ${index} (${what}, at byte ${offset}, instruction ${icount}) cannot be said in format ${this.format}: ${why}`,
    );
  }
}

/**
 * What the handler of an asynchronous event may log. Nothing else of the machine runs between the drained events: the CPU's thread holds the replay lock.
 * virtual_rt is not read by devices: it is the reading of the warp account.
 */
function isHandlerEvent(c: LogCursor): boolean {
  switch (c.kind) {
    case EventKind.CLOCK:
      return !isVirtualRt(c);
    case EventKind.CHAR_WRITE:
    case EventKind.CHAR_READ_ALL:
    case EventKind.CHAR_READ_ALL_ERROR:
    case EventKind.AUDIO_OUT:
    case EventKind.AUDIO_IN:
    case EventKind.RANDOM:
    case EventKind.SHUTDOWN:
      return true;
    default:
      return false;
  }
}

function isVirtualRt(c: LogCursor): boolean {
  return c.kind === EventKind.CLOCK && c.sub === CLOCK_VIRTUAL_RT;
}

/** What people send: nothing waits for it, and its handlers log nothing. */
function isInput(e: LogEvent): boolean {
  return e.kind === 'async' && (e.event.kind === 'input' || e.event.kind === 'input-sync' || e.event.kind === 'char-read');
}

function isCharacters(e: LogEvent): boolean {
  return e.kind === 'async' && e.event.kind === 'char-read';
}

/** Keys, buttons and kinds of input that came with QEMU 7.1 and later. */
function isNewInput(e: LogEvent): boolean {
  if (e.kind !== 'async' || e.event.kind !== 'input') return false;
  const input = e.event.event;
  if (input.kind === 'key') return input.qcode >= FIRST_NEW_QCODE;
  if (input.kind === 'button') return input.button >= FIRST_NEW_BUTTON;
  return input.kind === 'mtt';
}
