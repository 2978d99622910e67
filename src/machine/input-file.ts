import { readFileSync, statSync } from 'node:fs';
import { reason } from '../../replay/log/input.js';
import { UserError } from '../core/errors.js';

const MAX_INPUT_BYTES = 1 << 30;

/**
 * Reads a whole input file (firmware, kernel, module) named by an option.
 * @param foundAt see MachineConfig
 */
export function readInput(option: string, named: string, foundAt: ReadonlyMap<string, string> | undefined): Uint8Array {
  const path = foundAt?.get(named) ?? named;
  try {
    const stat = statSync(path);
    if (!stat.isFile()) throw new UserError('file-not-found', `${option} ${path}: not a regular file`);
    const { size } = stat;
    if (size > MAX_INPUT_BYTES) throw new UserError('image-corrupt', `${option} ${path}: ${size} bytes is more than an image may have`);
    const bytes = readFileSync(path);
    // Small files lie in a buffer with others.
    return bytes.length < bytes.buffer.byteLength ? new Uint8Array(bytes) : new Uint8Array(bytes.buffer);
  } catch (e) {
    if (e instanceof UserError) throw e;
    throw new UserError('file-not-found', `${option} ${path}: ${reason(e)}`);
  }
}
