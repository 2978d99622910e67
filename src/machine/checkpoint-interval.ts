import { UserError } from '../core/errors.js';

/** How far checkpoints lie apart: in instructions or in guest time; null: none are made. */
export type CheckpointInterval = { readonly instructions: number } | { readonly guestNs: number } | null;

/** One per second of guest time. */
export const DEFAULT_INTERVAL = '1s';
/** Nearer than this they would only cost. */
const LEAST_INSTRUCTIONS = 1000;
const UNITS: Readonly<Record<string, number>> = { s: 1e9, ms: 1e6, us: 1e3, ns: 1 };

/** Decodes `--checkpoint-every` and `--every`: instructions (`5000000`, `5M`), guest time (`1s`, `200ms`), or `0` and `off`. */
export function checkpointInterval(option: string, text: string): CheckpointInterval {
  if (text === 'off' || text === '0') return null;
  const wrong = (): UserError =>
    new UserError('bad-option', `${option} ${text}: expected instructions (such as 50M), guest time (such as 1s or 200ms), or off`);
  const match = /^(\d[\d_,]*(?:\.\d+)?)\s*([a-zA-Z]*)$/.exec(text);
  if (match === null) throw wrong();
  const value = Number(match[1]!.replaceAll(/[_,]/g, ''));
  const unit = match[2]!;
  const factor = { '': 1, k: 1e3, K: 1e3, M: 1e6, G: 1e9 }[unit];
  const number = Math.round(value * (factor ?? UNITS[unit] ?? Number.NaN));
  if (!Number.isSafeInteger(number)) throw wrong();
  if (factor === undefined) {
    if (number < LEAST_INSTRUCTIONS) throw new UserError('bad-option', `${option} ${text}: less than a microsecond of guest time`);
    return { guestNs: number };
  }
  if (number < LEAST_INSTRUCTIONS) throw new UserError('bad-option', `${option} ${text}: less than ${LEAST_INSTRUCTIONS} instructions`);
  return { instructions: number };
}
