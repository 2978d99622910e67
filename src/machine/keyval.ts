import { UserError } from '../core/errors.js';

/**
 * Splits QEMU's option syntax `first,key=value,flag,...`; `,,` stands for a comma. A bare word after the first is `word=on`.
 * @param option for messages.
 * @param implied name of the key that a first word without `=` belongs to.
 */
export function parseKeyValues(option: string, text: string, implied: string): Record<string, string> {
  const result: Record<string, string> = {};
  const parts = text.split(/(?<!,),(?!,)/).map((p) => p.replaceAll(',,', ','));
  parts.forEach((part, at) => {
    const eq = part.indexOf('=');
    const key = eq >= 0 ? part.slice(0, eq) : at === 0 ? implied : part;
    const value = eq >= 0 ? part.slice(eq + 1) : at === 0 ? part : 'on';
    if (key === '') throw new UserError('bad-option', `${option} ${text}: a property has no name`);
    if (Object.hasOwn(result, key)) throw new UserError('bad-option', `${option} ${text}: gives ${key} twice`);
    result[key] = value;
  });
  return result;
}

/** Refuses keys that an option does not know, naming them. */
export function onlyKeys(option: string, found: Record<string, string>, known: readonly string[]): void {
  for (const key of Object.keys(found))
    if (!known.includes(key)) throw new UserError('bad-option', `${option}: unknown property "${key}"; known are ${known.join(', ')}`);
}

/** Refuses a value that is none of `values`, naming them. */
export function known<T extends string>(option: string, value: string, values: readonly T[]): T {
  const found = values.find((v) => v === value);
  if (found === undefined) throw new UserError('not-supported', `${option} ${value}: known are ${values.join(', ')}`);
  return found;
}

/** A size such as 64M, 1G, 4096K or a plain number of MiB, as QEMU's -m. Returns bytes. */
export function parseMemory(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([bkmgBKMG]?)$/.exec(text);
  if (match === null) throw new UserError('bad-option', `--memory ${text}: expected a size such as 64M or 1G`);
  const unit = { '': 20, b: 0, k: 10, m: 20, g: 30 }[match[2]!.toLowerCase() as '' | 'b' | 'k' | 'm' | 'g'];
  const bytes = Math.floor(Number(match[1]) * 2 ** unit);
  const max = 3 * 2 ** 30;
  if (bytes < 2 ** 20 || bytes > max) throw new UserError('bad-option', `--memory ${text}: expected between 1M and 3G`);
  return Math.ceil(bytes / 4096) * 4096;
}

/** A non-negative integer in C notation (0x.., 0.., decimal). */
export function parseNumber(option: string, text: string, max: number): number {
  const value = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : Number.NaN;
  if (!Number.isInteger(value) || value > max)
    throw new UserError('bad-option', `${option}: "${text}" is not a number between 0 and ${max}`);
  return value;
}
