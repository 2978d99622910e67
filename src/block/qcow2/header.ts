import { UserError } from '../../core/errors.js';
import { QCOW_MAGIC } from '../image-format.js';
import { bigEndian64 } from './big-endian.js';

/** Bytes of a header of version 2, and the fewest of version 3. */
const V2_BYTES = 72;
const V3_BYTES = 104;
/** The tables that a header places may have at most so many bytes, as in QEMU. */
export const MAX_L1_BYTES = 32 << 20;
const MAX_REFCOUNT_TABLE_BYTES = 8 << 20;
const MAX_SNAPSHOTS = 65536;
const MAX_BACKING_NAME_BYTES = 1023;

/** Incompatible features: who does not know one cannot read the image. */
export const FEATURE = { DIRTY: 1, CORRUPT: 2, EXTERNAL_DATA: 4, COMPRESSION_TYPE: 8, EXTENDED_L2: 16 } as const;
const READABLE = FEATURE.DIRTY | FEATURE.CORRUPT;

const EXTENSION = { END: 0, BACKING_FORMAT: 0xe2792aca, FEATURE_NAMES: 0x6803f857 } as const;

/** What the header of a qcow2 image says (QEMU, docs/interop/qcow2.txt). Offsets and lengths in bytes. */
export interface Qcow2Header {
  readonly version: 2 | 3;
  readonly clusterBits: number;
  readonly clusterBytes: number;
  /** Size of the disk. */
  readonly sizeBytes: number;
  readonly l1Offset: number;
  /** Entries of the L1 table. */
  readonly l1Entries: number;
  readonly refcountTableOffset: number;
  readonly refcountTableClusters: number;
  /** A reference count has 2 to this power bits. */
  readonly refcountOrder: number;
  readonly snapshotCount: number;
  readonly snapshotsOffset: number;
  /** The name as the image has it; null: no backing file. */
  readonly backingName: string | null;
  /** The format of the backing file as the image has it; null: it does not say. */
  readonly backingFormat: string | null;
  /** Reference counts may be wrong (lazy refcounts, not closed in good order). Reading needs none. */
  readonly dirty: boolean;
  /** Somebody has found tables of the image wrong. */
  readonly corrupt: boolean;
  /** It has features that are only right while everybody who writes knows them. */
  readonly autoclear: boolean;
  /** Length of the header proper; extensions follow. */
  readonly headerBytes: number;
}

/** What to read of a file to decode its header: its first cluster, whatever its size. */
export const HEADER_READ_BYTES = 2 << 20;

/**
 * Decodes and checks a header. Throws UserError 'image-corrupt' or 'not-supported' in one sentence.
 * @param path for messages
 * @param bytes the beginning of the file: HEADER_READ_BYTES, or the whole file
 */
export function decodeHeader(path: string, bytes: Buffer, fileBytes: number): Qcow2Header {
  const bad = (what: string): UserError => new UserError('image-corrupt', `${path}: ${what}`);
  if (bytes.length < V2_BYTES || bytes.toString('latin1', 0, 4) !== QCOW_MAGIC) throw bad('not a qcow2 image');
  const version = bytes.readUInt32BE(4);
  if (version !== 2 && version !== 3)
    throw new UserError('not-supported', `${path}: qcow version ${version}; versions 2 and 3 can be read`);
  if (version === 3 && bytes.length < V3_BYTES) throw bad('the file ends inside the header');
  const clusterBits = bytes.readUInt32BE(20);
  if (clusterBits < 9 || clusterBits > 21) throw bad(`clusters of 2^${clusterBits} bytes; 2^9 to 2^21 is possible`);
  const clusterBytes = 2 ** clusterBits;
  const headerBytes = version === 2 ? V2_BYTES : bytes.readUInt32BE(100);
  if (version === 3 && (headerBytes < V3_BYTES || headerBytes > clusterBytes || headerBytes % 8 !== 0))
    throw bad(`a header of ${headerBytes} bytes`);
  const extensionsEnd = extensionsEndOf(bytes, clusterBytes, fileBytes, bad);
  const extensions = decodeExtensions(bytes, headerBytes, extensionsEnd, bad);
  if (version === 3) refuseFeatures(path, bytes, extensions);
  const encryption = bytes.readUInt32BE(32);
  if (encryption !== 0) throw new UserError('not-supported', `${path}: the image is encrypted, which is not supported`);
  const refcountOrder = version === 2 ? 4 : bytes.readUInt32BE(96);
  if (refcountOrder > 6) throw bad(`reference counts of 2^${refcountOrder} bits; at most 2^6 is possible`);
  const sizeBytes = bigEndian64(bytes, 24);
  if (sizeBytes > Number.MAX_SAFE_INTEGER) throw bad(`a disk of ${sizeBytes} bytes`);
  const place = (name: string, offset: number, length: number, most: number): void => {
    if (length > most) throw bad(`${name} of ${length} bytes; at most ${most} is possible`);
    if (length === 0) return;
    if (offset === 0 || offset % clusterBytes !== 0)
      throw bad(`${name} at ${offset}, which is not the start of a cluster behind the header`);
    if (offset + length > fileBytes) throw bad(`${name} ends at ${offset + length}, behind the end of the file at ${fileBytes}`);
  };
  const l1Entries = bytes.readUInt32BE(36);
  const l1Offset = bigEndian64(bytes, 40);
  place('an L1 table', l1Offset, l1Entries * 8, MAX_L1_BYTES);
  const needed = Math.ceil(sizeBytes / (clusterBytes * (clusterBytes / 8)));
  if (l1Entries < needed) throw bad(`an L1 table of ${l1Entries} entries, but the size of the disk needs ${needed}`);
  const refcountTableOffset = bigEndian64(bytes, 48);
  const refcountTableClusters = bytes.readUInt32BE(56);
  place('a refcount table', refcountTableOffset, refcountTableClusters * clusterBytes, MAX_REFCOUNT_TABLE_BYTES);
  const snapshotCount = bytes.readUInt32BE(60);
  const snapshotsOffset = bigEndian64(bytes, 64);
  if (snapshotCount > MAX_SNAPSHOTS) throw bad(`${snapshotCount} snapshots; at most ${MAX_SNAPSHOTS} are possible`);
  place('a snapshot table', snapshotsOffset, snapshotCount * 40, Number.MAX_SAFE_INTEGER);
  return {
    ...{ version, clusterBits, clusterBytes, sizeBytes, l1Offset, l1Entries, refcountTableOffset, refcountTableClusters, refcountOrder },
    ...{ snapshotCount, snapshotsOffset, headerBytes },
    backingName: backingName(bytes, clusterBytes, bad),
    backingFormat: extensions.get(EXTENSION.BACKING_FORMAT)?.toString('utf8') ?? null,
    dirty: version === 3 && (bytes.readUInt32BE(76) & FEATURE.DIRTY) !== 0,
    corrupt: version === 3 && (bytes.readUInt32BE(76) & FEATURE.CORRUPT) !== 0,
    autoclear: version === 3 && bigEndian64(bytes, 88) !== 0,
  };
}

/** Extensions end where the name of the backing file begins, or with the first cluster. */
function extensionsEndOf(bytes: Buffer, clusterBytes: number, fileBytes: number, bad: (what: string) => UserError): number {
  const nameOffset = bigEndian64(bytes, 8);
  if (nameOffset > clusterBytes) throw bad(`the name of the backing file at ${nameOffset}, outside the first cluster`);
  return Math.min(nameOffset === 0 ? clusterBytes : nameOffset, bytes.length, fileBytes);
}

function decodeExtensions(bytes: Buffer, from: number, end: number, bad: (what: string) => UserError): Map<number, Buffer> {
  const found = new Map<number, Buffer>();
  for (let at = from; at + 8 <= end; ) {
    const type = bytes.readUInt32BE(at);
    const length = bytes.readUInt32BE(at + 4);
    if (type === EXTENSION.END) break;
    if (length > end - at - 8) throw bad(`a header extension of ${length} bytes at ${at}, which ends behind its place`);
    found.set(type, bytes.subarray(at + 8, at + 8 + length));
    at += 8 + Math.ceil(length / 8) * 8;
  }
  return found;
}

function refuseFeatures(path: string, bytes: Buffer, extensions: ReadonlyMap<number, Buffer>): void {
  const [high, low] = [bytes.readUInt32BE(72), bytes.readUInt32BE(76)];
  const unsupported = (what: string): UserError => new UserError('not-supported', `${path}: ${what}`);
  if (low & FEATURE.EXTERNAL_DATA) throw unsupported('the data is in another file (data_file), which is not supported');
  if (low & FEATURE.EXTENDED_L2) throw unsupported('the image has extended L2 entries (extended_l2=on), which are not supported');
  if (low & FEATURE.COMPRESSION_TYPE)
    throw unsupported('the image is compressed with zstd or another compression_type than zlib, which is not supported');
  for (let bit = 0; bit < 64; bit++) {
    const set = ((bit < 32 ? low : high) >>> (bit % 32)) & 1;
    if (set === 1 && (bit >= 32 || !((READABLE >>> bit) & 1)))
      throw unsupported(`the image needs the feature ${featureName(extensions.get(EXTENSION.FEATURE_NAMES), bit)}, which is not supported`);
  }
}

/** Feature names table: entries of 48 bytes: kind (0: incompatible), bit number, name. */
function featureName(table: Buffer | undefined, bit: number): string {
  for (let at = 0; table !== undefined && at + 48 <= table.length; at += 48)
    if (table[at] === 0 && table[at + 1] === bit) return `"${printable(table.subarray(at + 2, at + 48))}"`;
  return `of bit ${bit}`;
}

/** A text of a stranger's, fit for a message. */
function printable(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('latin1')
    .replace(/\0.*$/s, '')
    .replace(/[^ -~]/g, '?');
}

function backingName(bytes: Buffer, clusterBytes: number, bad: (what: string) => UserError): string | null {
  const offset = bigEndian64(bytes, 8);
  if (offset === 0) return null;
  const length = bytes.readUInt32BE(16);
  if (length > Math.min(MAX_BACKING_NAME_BYTES, clusterBytes - offset)) throw bad(`a name of ${length} bytes for the backing file`);
  if (offset + length > bytes.length) throw bad('the name of the backing file ends behind the end of the file');
  const name = bytes.toString('utf8', offset, offset + length);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  if (/[\x00-\x1f\x7f]/.test(name)) throw bad('the name of the backing file has control characters in it');
  return name === '' ? null : name;
}
