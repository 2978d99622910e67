import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';

/** A path without symbolic links, as far as the file is there. */
export function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}
