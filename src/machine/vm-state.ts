import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { FileInput } from '../../replay/log/input.js';
import { HEADER_BYTES } from '../../replay/log/reader.js';
import { UserError } from '../core/errors.js';
import { Input, Output } from '../core/state-bytes.js';
import { PAGE_SIZE } from '../memory/physical.js';
import type { PcMachine } from './pc.js';
import type { SavedAreas, SavedParts } from './saved-machine.js';
import { BlockWriter, blockSource } from './state-blocks.js';

/*
 * A machine state as it lies in the VM state area of a snapshot. Little-endian.
 *    0  8  "palstate"
 *    8  4  version, 2 (1: without the TLBs; refused)
 *   12  4  length of the log's beginning (from byte 12 on) that says which recording this is
 *   16 32  SHA-256 of that
 *          (length 2^32-1 and zeros: the machine was not recorded)
 *   48 32  SHA-256 of all that follows, which is compressed (state-blocks.ts):
 * u32 number of parts, each: u8 length of name, name, u32 length, bytes (save.ts)
 * u32 number of memory pages, u32 number of those that are not zeros, each: u32 page, 4096 bytes; ascending
 * for each disk: u32 number of chunks that the guest wrote to, each: u32 chunk, bytes; ascending
 */
const MAGIC = 'palstate';
const VERSION = 2;
const HEAD_BYTES = 80;
/** In place of the length of a log: the machine is not recorded. */
const NO_LOG = 0xffffffff;
const MAX_PARTS = 1000;
const MAX_PART_BYTES = 64 << 20;
/** Enough of a log to tell it from others: it begins with the date. */
const IDENTITY_BYTES = 1 << 16;
const ZEROS = new Uint8Array(PAGE_SIZE);

/** Bytes of a saved machine and its large areas. @param log the recording it belongs to, written up to there; null: none */
export function encodeVmState(saved: SavedParts, machine: PcMachine, log: string | null): Buffer {
  const blocks = new BlockWriter();
  const out = new Output((piece) => blocks.write(piece));
  out.u32(saved.parts.size);
  for (const [name, bytes] of saved.parts) {
    out.u8(name.length);
    out.raw(Buffer.from(name, 'latin1'));
    out.u32(bytes.length);
    out.raw(bytes);
  }
  encodeMemory(out, machine.memory.u8);
  for (const { clusters } of Object.values(machine.overlays)) {
    out.u32(clusters.size);
    for (const number of clusters.numbers()) {
      out.u32(number);
      out.raw(clusters.get(number)!);
    }
  }
  out.finish();
  const body = blocks.finish();
  const head = Buffer.alloc(HEAD_BYTES);
  head.write(MAGIC, 'latin1');
  head.writeUInt32LE(VERSION, 8);
  if (log === null) head.writeUInt32LE(NO_LOG, 12);
  else {
    const start = logStart(log, IDENTITY_BYTES);
    head.writeUInt32LE(start.length, 12);
    sha256(start).copy(head, 16);
  }
  sha256(body).copy(head, 48);
  return Buffer.concat([head, body]);
}

function encodeMemory(out: Output, memory: Uint8Array): void {
  const pages: number[] = [];
  const page = (number: number): Uint8Array => memory.subarray(number * PAGE_SIZE, (number + 1) * PAGE_SIZE);
  for (let n = 0; n < memory.length / PAGE_SIZE; n++) if (Buffer.compare(page(n), ZEROS) !== 0) pages.push(n);
  out.u32(memory.length / PAGE_SIZE);
  out.u32(pages.length);
  for (const number of pages) {
    out.u32(number);
    out.raw(page(number));
  }
}

/**
 * Decodes the state of a machine like `machine`. The areas can be read once, memory first, then each disk in the order of the machine's.
 * @param where names the snapshot in messages
 * @param log the recording that is replayed; null: the machine is live and not recorded
 * @throws UserError 'snapshot-corrupt' (also on the way); 'option-mismatch' for a state of another recording
 */
export function decodeVmState(
  bytes: Buffer,
  machine: PcMachine,
  log: string | null,
  where: string,
): { saved: SavedParts; areas: SavedAreas } {
  checkHead(bytes, log, where);
  const input = new Input(blockSource(bytes.subarray(HEAD_BYTES)));
  const parts = new Map<string, Uint8Array>();
  for (let left = bounded(input.u32(), MAX_PARTS, 'parts'); left > 0; left--) {
    const name = Buffer.from(input.raw(input.u8())).toString('latin1');
    parts.set(name, input.raw(bounded(input.u32(), MAX_PART_BYTES, 'bytes of a part')).slice());
  }
  const pageCount = machine.memory.u8.length / PAGE_SIZE;
  return {
    saved: { parts },
    areas: {
      *pages() {
        const claimed = input.u32();
        if (claimed !== pageCount)
          throw new UserError('snapshot-corrupt', `${where} is of a machine with ${claimed} pages of memory; this one has ${pageCount}`);
        let next = 0;
        for (const [number, page] of numbered(input, pageCount, PAGE_SIZE)) {
          for (; next < number; next++) yield [next, null];
          yield [number, page];
          next = number + 1;
        }
        for (; next < pageCount; next++) yield [next, null];
      },
      chunks(part) {
        const { chunkCount, chunkBytes } = machine.overlays[part]!.clusters;
        return numbered(input, chunkCount, chunkBytes);
      },
    },
  };
}

function checkHead(bytes: Buffer, log: string | null, where: string): void {
  if (bytes.length < HEAD_BYTES || bytes.toString('latin1', 0, 8) !== MAGIC)
    throw new UserError('not-supported', `${where} has no machine state of palindrome; another program made it`);
  const version = bytes.readUInt32LE(8);
  if (version !== VERSION) throw new UserError('not-supported', `${where} has a machine state of version ${version}; known is ${VERSION}`);
  if (!sha256(bytes.subarray(HEAD_BYTES)).equals(bytes.subarray(48, 80)))
    throw new UserError('snapshot-corrupt', `the machine state in ${where} is damaged: its SHA-256 is not what it says`);
  const length = bytes.readUInt32LE(12);
  if (log === null || length === NO_LOG) {
    if (log === null && length === NO_LOG) return;
    throw new UserError('option-mismatch', `${where} belongs to ${log === null ? 'a recording' : 'no recording'}, unlike this machine`);
  }
  if (length > IDENTITY_BYTES || !sha256(logStart(log, length)).equals(bytes.subarray(16, 48)))
    throw new UserError('option-mismatch', `${where} belongs to another recording than ${log}`);
}

function* numbered(input: Input, most: number, length: number): Generator<readonly [number, Uint8Array]> {
  let next = 0;
  for (let left = bounded(input.u32(), most, 'pages'); left > 0; left--) {
    const number = input.u32();
    if (number < next || number >= most)
      throw new UserError('snapshot-corrupt', `a machine state has page ${number} of ${most} behind ${next}`);
    next = number + 1;
    yield [number, input.raw(length)];
  }
}

function bounded(count: number, most: number, what: string): number {
  if (count > most) throw new UserError('snapshot-corrupt', `a machine state claims ${count} ${what}`);
  return count;
}

/** Up to so many of the first events' bytes. */
function logStart(log: string, length: number): Uint8Array {
  const file = new FileInput(log);
  try {
    const bytes = new Uint8Array(Math.max(0, Math.min(length, file.size - HEADER_BYTES)));
    return bytes.subarray(0, file.read(bytes, 0, bytes.length, HEADER_BYTES));
  } finally {
    file.close();
  }
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
