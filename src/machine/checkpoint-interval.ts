import { UserError } from '../core/errors.js';

/**
 * How far checkpoints lie apart: in instructions or in guest time; null: none are made.
 * `leastMs`: a recording makes none sooner than so many host milliseconds behind the one before, whatever the guest executed meanwhile.
 */
export type CheckpointInterval = { readonly instructions: number; readonly leastMs?: number } | { readonly guestNs: number } | null;

/** Of a recording: see AUTOMATIC. */
export const RECORDING_INTERVAL = 'auto';
/** Of those made afterwards, beside nothing that must not be slowed down: a bit closer still. */
export const ADDED_INTERVAL = '8M';
/**
 * Any instruction is reached within some tenths of a second: code that has just come from a checkpoint is interpreted, at 20 to 60 million instructions a second. A guest in a hot loop executes as
 * many in a few milliseconds: then the cost of making them is what counts, and the loop is as fast behind a seek.
 */
const AUTOMATIC: CheckpointInterval = { instructions: 12e6, leastMs: 25 };
/** Nearer than this they would only cost. */
const LEAST_INSTRUCTIONS = 1000;
const UNITS: Readonly<Record<string, number>> = { s: 1e9, ms: 1e6, us: 1e3, ns: 1 };

/** Decodes `--checkpoint-every` and `--every`: instructions (`5000000`, `5M`), guest time (`1s`, `200ms`), `auto`, or `0` and `off`. */
export function checkpointInterval(option: string, text: string): CheckpointInterval {
  if (text === 'off' || text === '0') return null;
  if (text === 'auto') return AUTOMATIC;
  const wrong = (): UserError =>
    new UserError('bad-option', `${option} ${text}: expected instructions (such as 50M), guest time (such as 1s or 200ms), auto, or off`);
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
