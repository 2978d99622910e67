import { type AsyncEvent, POWER_BUTTON } from '../../src/core/machine-view.js';
import type { InputEvent } from '../../src/core/nondet.js';
import type { LogEvent } from './events.js';
import { CHECKPOINT_NAMES, EventKind, eventName, SHUTDOWN_CAUSES } from './kinds.js';
import { QCODE_NAMES } from './qcodes.js';
import type { LogCursor } from './reader.js';

const MAX_SHOWN_BYTES = 32;
const BUTTONS = ['left', 'middle', 'right', 'wheel-up', 'wheel-down', 'side', 'extra', 'wheel-left', 'wheel-right', 'touch'];
const AXES = ['x', 'y'];
const TOUCH_TYPES = ['begin', 'update', 'end', 'cancel', 'data'];

/** One line of a dump: index, byte offset, icount, name, arguments. Printable ASCII only, whatever the log holds. */
export function eventLine(c: LogCursor, e: LogEvent): string {
  const args = eventArguments(e);
  return `${c.index} ${c.offset} ${c.icount} ${eventName(c.kind, c.sub)}${args === '' ? '' : ' '}${args}`;
}

/** Arguments of an event in words, e.g. `(1, 1)` or `key a down`. */
export function eventArguments(e: LogEvent): string {
  switch (e.kind) {
    case 'instruction':
      return String(e.count);
    case 'async': {
      const args = asyncArguments(e.event);
      if (e.checkpoint === null) return args;
      return `${args}${args === '' ? '' : ' '}at ${CHECKPOINT_NAMES[e.checkpoint]}`;
    }
    case 'shutdown':
      return e.cause;
    case 'char-write':
      return `(${e.result}, ${e.offset})`;
    case 'char-read-all':
      return quoted(e.bytes);
    case 'char-read-all-error':
      return String(e.result);
    case 'audio-out':
      return String(e.played);
    case 'audio-in':
      return `${e.recorded} recorded, write position ${e.writePosition}`;
    case 'random':
      return `(${e.result}, ${shortHex(e.bytes)})`;
    case 'clock':
      return String(e.ns);
    default:
      return '';
  }
}

function asyncArguments(e: AsyncEvent): string {
  switch (e.kind) {
    case 'bh':
      return e.id === POWER_BUTTON ? 'power button' : String(e.id);
    case 'bh-oneshot':
    case 'block':
      return String(e.id);
    case 'input':
      return inputArguments(e.event);
    case 'input-sync':
      return '';
    case 'char-read':
      return `${e.device} ${quoted(e.bytes)}`;
    case 'net':
      return `${e.filter} flags ${e.flags} ${e.bytes.length} bytes ${shortHex(e.bytes)}`;
  }
}

/** An input event in words: `key a down`, `btn left up`, `rel y -5`, `abs x 16384`. */
function inputArguments(e: InputEvent): string {
  switch (e.kind) {
    case 'key-number':
      return `key number ${e.number} ${e.down ? 'down' : 'up'}`;
    case 'key':
      return `key ${QCODE_NAMES[e.qcode] ?? `qcode ${e.qcode}`} ${e.down ? 'down' : 'up'}`;
    case 'button':
      return `btn ${BUTTONS[e.button] ?? e.button} ${e.down ? 'down' : 'up'}`;
    case 'rel':
    case 'abs':
      return `${e.kind} ${AXES[e.axis] ?? e.axis} ${e.value}`;
    case 'mtt':
      return `mtt ${TOUCH_TYPES[e.type] ?? e.type} slot ${e.slot} id ${e.trackingId} ${AXES[e.axis] ?? e.axis} ${e.value}`;
    case 'unknown':
      return `unknown kind ${e.code}`;
  }
}

/** Bytes as a string in quotes; what is not printable ASCII becomes \xNN. */
function quoted(bytes: Uint8Array): string {
  let text = '';
  for (const b of bytes) {
    const plain = b >= 0x20 && b < 0x7f && b !== 0x22 && b !== 0x5c;
    text += plain ? String.fromCharCode(b) : `\\x${b.toString(16).padStart(2, '0')}`;
  }
  return `"${text}"`;
}

function shortHex(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, MAX_SHOWN_BYTES)).toString('hex');
  return bytes.length > MAX_SHOWN_BYTES ? `${hex}...` : hex;
}

/** An event as a flat JSON object: position, `event` (its name) and its fields; bytes in hex, 64-bit values as decimal strings. */
export function eventJson(c: LogCursor, e: LogEvent): string {
  const object: Record<string, unknown> = { index: c.index, offset: c.offset, icount: c.icount, event: eventName(c.kind, c.sub) };
  if (e.kind !== 'async') copyFields(object, e);
  else {
    copyFields(object, e.event.kind === 'input' ? inputFields(e.event.event) : e.event);
    if (e.checkpoint !== null) object.checkpoint = CHECKPOINT_NAMES[e.checkpoint];
  }
  return JSON.stringify(object);
}

/** All fields but `kind`, as JSON can hold them. */
function copyFields(to: Record<string, unknown>, from: object): void {
  for (const [name, value] of Object.entries(from) as [string, unknown][]) {
    if (name === 'kind') continue;
    if (typeof value === 'bigint') to[name] = String(value);
    else if (value instanceof Uint8Array) to[name] = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex');
    else to[name] = value;
  }
}

function inputFields(e: InputEvent): object {
  const { kind, ...fields } = e;
  if (e.kind === 'key') return { input: kind, key: QCODE_NAMES[e.qcode] ?? null, ...fields };
  return { input: kind, ...fields };
}

/** Whether an event came from outside the machine: input, characters, packets, recorded sound, random numbers, requests of the host to stop. */
export function isExternal(c: LogCursor): boolean {
  switch (c.kind) {
    case EventKind.INPUT:
    case EventKind.INPUT_SYNC:
    case EventKind.CHAR_READ:
    case EventKind.NET:
    case EventKind.CHAR_READ_ALL:
    case EventKind.CHAR_READ_ALL_ERROR:
    case EventKind.AUDIO_IN:
    case EventKind.RANDOM:
      return true;
    case EventKind.BH:
      return c.int64At(0) === BigInt(POWER_BUTTON);
    case EventKind.SHUTDOWN:
      return SHUTDOWN_CAUSES[c.sub]!.startsWith('host-');
    default:
      return false;
  }
}
