import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { reason } from '../../replay/log/input.js';
import { UserError } from '../core/errors.js';

/** Streams a file that `option` names through SHA-256. */
export function hashFile(option: string, path: string): { option: string; path: string; bytes: number; sha256: string } {
  const fd = openInput(option, path);
  try {
    const hash = createHash('sha256');
    const chunk = Buffer.allocUnsafe(1 << 20);
    let bytes = 0;
    for (let n = readSync(fd, chunk); n > 0; n = readSync(fd, chunk)) {
      hash.update(chunk.subarray(0, n));
      bytes += n;
    }
    return { option, path, bytes, sha256: hash.digest('hex') };
  } catch (e) {
    throw new UserError('file-io', `${option} ${path}: ${reason(e)}`);
  } finally {
    closeSync(fd);
  }
}

function openInput(option: string, path: string): number {
  try {
    if (!statSync(path).isFile()) throw new UserError('file-not-found', `${option} ${path}: not a regular file`);
    return openSync(path, 'r');
  } catch (e) {
    if (e instanceof UserError) throw e;
    throw new UserError('file-not-found', `${option} ${path}: ${reason(e)}`);
  }
}
