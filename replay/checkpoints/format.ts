import { crc32 } from 'node:zlib';
import type { HashName } from './content-hash.js';

/** Layout of LOG.checkpoints: see FORMAT.md in this folder. All numbers little-endian. */
export const MAGIC = 'PALCKPT6';
/** Of stores without FOOTPRINT_BYTES, FOOTPRINT_LINES, FOOTPRINT and VERSIONS records: read as ever; one that is gone on with becomes a newer one. */
export const EARLIER_MAGICS: readonly string[] = ['PALCKPT5', 'PALCKPT4', 'PALCKPT3', 'PALCKPT2'];
/** Of a store without the TLBs, refused: what is replayed from it may differ in the accessed and dirty bits of page tables. */
export const REFUSED_MAGIC = 'PALCKPT1';
/** Magic, length of the description, its CRC-32. */
export const PREAMBLE_BYTES = 16;
export const MAX_DESCRIPTION_BYTES = 1 << 20;
export const RECORD_HEADER_BYTES = 16;
/** Bytes of a content's hash. */
export const HASH_BYTES = 16;
/** Of one content in the list of a CONTENTS record: hash, length. */
export const CONTENT_ENTRY_BYTES = HASH_BYTES + 4;
/** Of one content in the list of a VERSIONS record: hash, length, content that it is a version of (0: none). */
export const VERSION_ENTRY_BYTES = HASH_BYTES + 8;
/** Of one content in a KNOWN record: hash, source (u8), 0 (u8), length (u16), offset (u32). */
export const KNOWN_ENTRY_BYTES = HASH_BYTES + 8;
/** Longest content: the state of one part, or a piece of a disk. */
export const MAX_CONTENT_BYTES = 64 << 20;
/** Longest payload of a record, compressed or not. */
export const MAX_PAYLOAD_BYTES = 128 << 20;

export const RECORD_CONTENTS = 1;
export const RECORD_KNOWN = 2;
export const RECORD_CHECKPOINT = 3;
/** Of earlier versions; there is none without reads any more. */
export const RECORD_FOOTPRINT_WITHOUT_READS = 4;
export const RECORD_VERSIONS = 5;
export const RECORD_FOOTPRINT = 6;
/** Of earlier versions: with lines of 64 bytes in the place of pages. */
export const RECORD_FOOTPRINT_LINES = 7;
/** With bytes in the place of pages. */
export const RECORD_FOOTPRINT_BYTES = 8;

/** What stands before each record's payload. */
export interface RecordHeader {
  readonly type: number;
  /** Contents in it (CONTENTS, KNOWN, VERSIONS). */
  readonly count: number;
  readonly payloadBytes: number;
  readonly payloadCrc: number;
}

export function encodeRecordHeader(header: RecordHeader): Uint8Array {
  const bytes = new Uint8Array(RECORD_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, header.type, true);
  view.setUint16(2, header.count, true);
  view.setUint32(4, header.payloadBytes, true);
  view.setUint32(8, header.payloadCrc, true);
  view.setUint32(12, crc32(bytes.subarray(0, 12)), true);
  return bytes;
}

/** The header in these bytes; null when they are none. */
export function decodeRecordHeader(bytes: Uint8Array): RecordHeader | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, RECORD_HEADER_BYTES);
  if (view.getUint32(12, true) !== crc32(bytes.subarray(0, 12))) return null;
  const header = {
    type: view.getUint16(0, true),
    count: view.getUint16(2, true),
    payloadBytes: view.getUint32(4, true),
    payloadCrc: view.getUint32(8, true),
  };
  const known = header.type >= RECORD_CONTENTS && header.type <= RECORD_FOOTPRINT_BYTES;
  return known && header.payloadBytes <= MAX_PAYLOAD_BYTES ? header : null;
}

/** Pages (or pieces of a disk) of equal size with numbers from 0. */
export interface Space {
  readonly unitBytes: number;
  readonly count: number;
}

/** What a store is about: the first thing in its file. */
export interface StoreDescription {
  /** Of the recording (hex): a store of another one is refused. */
  readonly identity: string;
  readonly spaces: Readonly<Record<string, Space>>;
  /** Absent: SHA-256, as in stores of earlier versions. */
  readonly hash?: HashName;
}

/** A place in the log; see LogPosition. */
export interface CheckpointPosition {
  readonly offset: number;
  readonly icount: number;
  readonly events: number;
}

/** What a CHECKPOINT record says besides the tables. */
export interface CheckpointEntry {
  readonly icount: number;
  /** Guest time (virtual clock), in nanoseconds. */
  readonly timeNs: number;
  readonly position: CheckpointPosition;
  /** Number (in file order) of the checkpoint whose tables this one's start from; -1: from nothing. */
  readonly base: number;
  /** Contents by name: states of parts, and of the session. */
  readonly items: Readonly<Record<string, number>>;
  /** Changed places of each space's table, as pairs in the record behind this. */
  readonly changes: Readonly<Record<string, number>>;
  /** SHA-256 (hex) of the log's bytes from offset `logFrom` to the position: what was recorded between the checkpoint before and this one. */
  readonly logFrom: number;
  readonly logHash: string;
}
