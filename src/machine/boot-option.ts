import { UserError } from '../core/errors.js';
import { known, onlyKeys, parseKeyValues, parseNumber } from './keyval.js';

/** From where firmware starts, where that is not what QEMU's `pc` has without `-boot`. */
export interface BootConfig {
  /** Letters of devices, first to be tried first: a, b floppy; c disk; d CD-ROM; n network. */
  readonly order: string;
  /** The same until the first reset; null: `order`. */
  readonly once: string | null;
  /** Firmware offers a menu. */
  readonly menu: boolean;
  /** Milliseconds that the menu waits for a key; null: as firmware likes it. */
  readonly menuWaitMs: number | null;
  /** What is not in the list of `bootindex=` is not tried. */
  readonly strict: boolean;
}

const DEFAULT: BootConfig = { order: 'cad', once: null, menu: false, menuWaitMs: null, strict: false };
/** Nibbles of the CMOS RAM. */
const DEVICES: Readonly<Record<string, number>> = { a: 1, b: 1, c: 2, d: 3, n: 4 };
const MAX_DEVICES = 3;
const MAX_MS = 0xffff;

/** Decodes `-boot` (QEMU's manual page). A `boot` that is as without the option is left out. Throws UserError, with QEMU's words for orders. */
export function bootOption(text: string): { readonly boot?: BootConfig; readonly rebootTimeoutMs: number | null } {
  const found = parseKeyValues('--boot', text, 'order');
  if (found.splash !== undefined)
    throw new UserError('not-supported', `--boot ${text}: splash= is not supported, there are no boot pictures`);
  onlyKeys('--boot', found, ['order', 'once', 'menu', 'splash-time', 'reboot-timeout', 'strict']);
  const on = (name: 'menu' | 'strict'): boolean => known(`--boot ${name}`, found[name] ?? 'off', ['on', 'off']) === 'on';
  const milliseconds = (name: 'splash-time' | 'reboot-timeout'): number | null =>
    found[name] === undefined ? null : parseNumber(`--boot ${name}`, found[name], MAX_MS);
  const boot: BootConfig = {
    order: found.order === undefined ? DEFAULT.order : checkedOrder(text, found.order),
    once: found.once === undefined ? null : checkedOrder(text, found.once),
    menu: on('menu'),
    menuWaitMs: milliseconds('splash-time'),
    strict: on('strict'),
  };
  return {
    ...(JSON.stringify(boot) === JSON.stringify(DEFAULT) ? {} : { boot }),
    rebootTimeoutMs: found['reboot-timeout'] === '-1' ? null : milliseconds('reboot-timeout'),
  };
}

function checkedOrder(text: string, order: string): string {
  const refuse = (why: string): never => {
    throw new UserError('bad-option', `--boot ${text}: ${why}`);
  };
  const letters = [...order];
  for (const [at, letter] of letters.entries()) {
    if (letter < 'a' || letter > 'p') refuse(`Invalid boot device '${letter}'`);
    if (letters.indexOf(letter) < at) refuse(`Boot device '${letter}' was given twice`);
  }
  if (letters.length > MAX_DEVICES) refuse('Too many boot devices for PC');
  for (const letter of letters) if (DEVICES[letter] === undefined) refuse(`Invalid boot device for PC: '${letter}'`);
  return order;
}

/** An order that LOG.json may hold. */
export function isBootOrder(order: unknown): boolean {
  return typeof order === 'string' && order.length <= MAX_DEVICES && [...order].every((letter) => DEVICES[letter] !== undefined);
}

/**
 * Registers of the CMOS RAM in which SeaBIOS looks for the order of devices, and their values.
 * @param first before the first reset
 */
export function bootCmos(boot: BootConfig = DEFAULT, first = true): readonly (readonly [register: number, value: number])[] {
  const [one = 0, two = 0, three = 0] = [...((first ? boot.once : null) ?? boot.order)].map((letter) => DEVICES[letter]!);
  return [
    [0x3d, (two << 4) | one],
    [0x38, three << 4],
  ];
}

/** Contents of the firmware's `bootorder` file: Open Firmware paths of what has a boot index, lowest first. */
export function bootOrderFile(places: readonly { readonly bootIndex?: number; readonly path: string }[], strict: boolean): Uint8Array {
  const listed = places.filter(({ bootIndex }) => bootIndex !== undefined).sort((a, b) => a.bootIndex! - b.bootIndex!);
  if (listed.length === 0) return new Uint8Array(0);
  return new TextEncoder().encode(`${[...listed.map(({ path }) => path), ...(strict ? ['HALT'] : [])].join('\n')}\0`);
}
