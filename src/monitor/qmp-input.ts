import type { HostRequest } from '../../replay/host.js';
import { QCODE_NAMES } from '../../replay/log/qcodes.js';
import type { InputEvent } from '../core/nondet.js';
import { AXIS_X, AXIS_Y, MAX_KEYS } from './key-events.js';
import type { QmpArguments } from './qmp-arguments.js';

const MAX_EVENTS = 1024;
const BUTTONS = ['left', 'middle', 'right', 'wheel-up', 'wheel-down', 'side', 'extra', 'wheel-left', 'wheel-right'] as const;
const AXES = ['x', 'y'] as const;
const QCODES: readonly string[] = QCODE_NAMES;

/** A KeyValue of QMP as HMP would write it. Throws QmpError. */
function keyName(key: QmpArguments): string {
  const type = key.oneOf('type', ['number', 'qcode']);
  const name = type === 'qcode' ? key.oneOf('data', QCODES) : `0x${(key.integer('data') & 0xffff).toString(16)}`;
  key.end();
  return name;
}

/** The keys of `send-key`. Throws QmpError. */
export function keyNames(args: QmpArguments): string[] {
  return args.objects('keys', MAX_KEYS, keyName);
}

/** The events of `input-send-event`: they come together. Throws QmpError. */
export function inputEvents(args: QmpArguments): HostRequest[] {
  const events = args.objects('events', MAX_EVENTS, inputEvent);
  return [...events.map((event): HostRequest => ({ kind: 'input', event })), { kind: 'input-sync' }];
}

function inputEvent(of: QmpArguments): InputEvent {
  const type = of.oneOf('type', ['key', 'btn', 'rel', 'abs']);
  const data = of.object('data');
  const event = decode(type, data);
  data.end();
  of.end();
  return event;
}

function decode(type: 'key' | 'btn' | 'rel' | 'abs', data: QmpArguments): InputEvent {
  if (type === 'key') {
    const name = keyName(data.object('key'));
    const down = data.boolean('down');
    if (name.startsWith('0x')) return { kind: 'key-number', number: BigInt(name), down };
    return { kind: 'key', qcode: QCODES.indexOf(name), down };
  }
  if (type === 'btn') {
    const button = BUTTONS.indexOf(data.oneOf('button', BUTTONS));
    return { kind: 'button', button, down: data.boolean('down') };
  }
  const axis = data.oneOf('axis', AXES) === 'x' ? AXIS_X : AXIS_Y;
  return { kind: type, axis, value: data.integer('value') | 0 };
}
