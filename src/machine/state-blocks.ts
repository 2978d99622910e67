import { Buffer } from 'node:buffer';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { UserError } from '../core/errors.js';

/** A state is compressed in blocks of so many bytes, so that no array needs to hold it all before. */
const BLOCK_BYTES = 1 << 20;
const HEAD_BYTES = 8;
const FASTEST = 1;

/** Compresses what comes piece by piece. Each block: u32 length, u32 stored length (little-endian), raw deflate. */
export class BlockWriter {
  private readonly done: Uint8Array[] = [];
  private readonly block = new Uint8Array(BLOCK_BYTES);
  private used = 0;

  write(piece: Uint8Array): void {
    for (let at = 0; at < piece.length; ) {
      const part = piece.subarray(at, at + BLOCK_BYTES - this.used);
      this.block.set(part, this.used);
      this.used += part.length;
      at += part.length;
      if (this.used === BLOCK_BYTES) this.close();
    }
  }

  /** All blocks. */
  finish(): Buffer {
    if (this.used > 0) this.close();
    return Buffer.concat(this.done);
  }

  private close(): void {
    const stored = deflateRawSync(this.block.subarray(0, this.used), { level: FASTEST });
    const head = Buffer.alloc(HEAD_BYTES);
    head.writeUInt32LE(this.used, 0);
    head.writeUInt32LE(stored.length, 4);
    this.done.push(head, stored);
    this.used = 0;
  }
}

/** What BlockWriter wrote, as a StateSource: one block in memory at a time. Throws UserError 'snapshot-corrupt'. */
export function blockSource(stored: Uint8Array): (length: number) => Uint8Array {
  const bytes = Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength);
  let at = 0;
  let block: Uint8Array = new Uint8Array(0);
  const next = (): boolean => {
    if (at === bytes.length) return false;
    block = inflateBlock(bytes, at);
    at += HEAD_BYTES + bytes.readUInt32LE(at + 4);
    return true;
  };
  return (length) => {
    const pieces: Uint8Array[] = [];
    for (let missing = length; missing > 0 && (block.length > 0 || next()); ) {
      const piece = block.subarray(0, missing);
      block = block.subarray(piece.length);
      pieces.push(piece);
      missing -= piece.length;
    }
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
  };
}

function inflateBlock(bytes: Buffer, at: number): Uint8Array {
  const left = bytes.length - at - HEAD_BYTES;
  const length = left < 0 ? 0 : bytes.readUInt32LE(at);
  const stored = left < 0 ? 0 : bytes.readUInt32LE(at + 4);
  if (length === 0 || length > BLOCK_BYTES || stored > left) throw new UserError('snapshot-corrupt', 'a machine state ends within a block');
  try {
    const block = inflateRawSync(bytes.subarray(at + HEAD_BYTES, at + HEAD_BYTES + stored), { maxOutputLength: length });
    if (block.length === length) return block;
  } catch {
    // Said below.
  }
  throw new UserError('snapshot-corrupt', 'a block of a machine state cannot be decompressed');
}
