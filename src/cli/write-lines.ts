import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { reason } from '../../replay/log/input.js';
import { UserError } from '../core/errors.js';

const BATCH_CHARACTERS = 1 << 16;

/** Writes lines to a file, under a temporary name until it is whole. */
export function writeLines(option: string, path: string, lines: Iterable<string>): void {
  const temporary = `${path}.part`;
  try {
    const fd = openSync(temporary, 'w');
    try {
      let batch = '';
      for (const line of lines) {
        batch += `${line}\n`;
        if (batch.length < BATCH_CHARACTERS) continue;
        writeAll(fd, batch);
        batch = '';
      }
      writeAll(fd, batch);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (e) {
    rmSync(temporary, { force: true });
    throw new UserError('file-io', `${option} ${path}: ${reason(e)}`);
  }
}

function writeAll(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}
