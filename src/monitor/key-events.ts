import type { HostRequest } from '../../replay/host.js';
import { QCODE_NAMES } from '../../replay/log/qcodes.js';

/** Most keys that are pressed together. */
export const MAX_KEYS = 32;

/** Requests that press keys together and release them again, by QEMU's key names or key numbers (0x1e). Null: a name is unknown, or there are too many. */
export function pressKeys(names: readonly string[]): HostRequest[] | { readonly unknown: string } {
  const keys: HostRequest[] = [];
  if (names.length > MAX_KEYS) return { unknown: names.slice(MAX_KEYS).join('-') };
  for (const name of names) {
    const qcode = QCODE_NAMES.indexOf(name === '<' ? 'less' : name);
    if (/^0x[0-9a-f]{1,4}$/i.test(name)) keys.push({ kind: 'input', event: { kind: 'key-number', number: BigInt(name), down: true } });
    else if (qcode > 0) keys.push({ kind: 'input', event: { kind: 'key', qcode, down: true } });
    else return { unknown: name };
  }
  const releases = keys.toReversed().map((k) => (k.kind === 'input' ? { ...k, event: { ...k.event, down: false } as typeof k.event } : k));
  return [...keys, ...releases].flatMap((k): HostRequest[] => [k, { kind: 'input-sync' }]);
}

/** Axes and buttons by QEMU's numbers (ui.json: InputAxis, InputButton). */
export const AXIS_X = 0;
export const AXIS_Y = 1;
const BUTTON_WHEEL_UP = 3;
const BUTTON_WHEEL_DOWN = 4;

/** Requests that move the mouse; `dz` turns its wheel. */
export function moveMouse(dx: number, dy: number, dz: number): HostRequest[] {
  const requests: HostRequest[] = [
    { kind: 'input', event: { kind: 'rel', axis: AXIS_X, value: dx } },
    { kind: 'input', event: { kind: 'rel', axis: AXIS_Y, value: dy } },
  ];
  const button = dz > 0 ? BUTTON_WHEEL_UP : BUTTON_WHEEL_DOWN;
  if (dz !== 0)
    requests.push(
      { kind: 'input', event: { kind: 'button', button, down: true } },
      { kind: 'input-sync' },
      { kind: 'input', event: { kind: 'button', button, down: false } },
    );
  return [...requests, { kind: 'input-sync' }];
}

/** Requests that turn the buttons `from` into `to`: bits 1 left, 2 right, 4 middle (HMP), against InputButton 0 left, 1 middle, 2 right. */
export function changeButtons(from: number, to: number): HostRequest[] {
  const requests: HostRequest[] = [];
  for (const [bit, button] of [
    [1, 0],
    [4, 1],
    [2, 2],
  ] as const)
    if (((from ^ to) & bit) !== 0) requests.push({ kind: 'input', event: { kind: 'button', button, down: (to & bit) !== 0 } });
  return requests.length === 0 ? [] : [...requests, { kind: 'input-sync' }];
}
