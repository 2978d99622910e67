import { readFileSync } from 'node:fs';
import { BytesInput } from '../../replay/log/input.js';
import { LogCursor, type ReaderOptions } from '../../replay/log/reader.js';

const DIR = new URL('../recordings/', import.meta.url).pathname;

/** QEMU's recordings, with what their makers counted: [name, events, instructions]. */
export const RECORDINGS: readonly (readonly [string, number, number])[] = [
  ['t1', 142, 238],
  ['t2', 111, 1642],
  ['t3', 149, 4721],
  ['t4', 4799, 976],
  ['t5', 9190, 6217502],
  ['t1-52', 142, 238],
  ['t2-52', 111, 1642],
  ['t3-52', 149, 4721],
  ['t4-52', 5488, 994],
];

export function recordingPath(name: string): string {
  return `${DIR}${name}.rr`;
}

export function recording(name: string): Uint8Array {
  return new Uint8Array(readFileSync(recordingPath(name)));
}

export function cursorOf(bytes: Uint8Array, options?: ReaderOptions): LogCursor {
  return new LogCursor(new BytesInput(bytes), options);
}

/** A log of the given header version and event bytes in hex (blanks allowed). */
export function logOf(version: number, hex: string): Uint8Array {
  const header = Buffer.alloc(12);
  header.writeUInt32BE(version);
  return new Uint8Array(Buffer.concat([header, Buffer.from(hex.replaceAll(' ', ''), 'hex')]));
}
