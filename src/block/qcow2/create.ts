import { closeSync, openSync } from 'node:fs';
import { UserError } from '../../core/errors.js';
import { HostFile } from '../host-file.js';
import { QCOW_MAGIC } from '../image-format.js';
import { decodeHeader } from './header.js';
import { writeMetadata } from './metadata.js';
import { Refcounts } from './refcounts.js';
import { ReferenceCounts } from './reference-counts.js';

/** What decides about a new image. */
export interface NewImage {
  readonly sizeBytes: number;
  readonly version?: 2 | 3;
  /** Clusters of 2 to this power bytes; 16 unless given. */
  readonly clusterBits?: number;
  /** Reference counts of 2 to this power bits; 4 unless given. */
  readonly refcountOrder?: number;
  readonly backing?: { readonly name: string; readonly format: string };
}

const BACKING_FORMAT = 0xe2792aca;

/** Writes an empty image. Throws UserError when there is a file of that name, or the host cannot write. */
export function createQcow2(path: string, image: NewImage): void {
  const bytes = headerCluster(image);
  try {
    closeSync(openSync(path, 'wx'));
  } catch (e) {
    throw new UserError('file-io', `cannot make the image ${path}: ${(e as NodeJS.ErrnoException).code}`);
  }
  const file = new HostFile(path, 'r+');
  try {
    file.write(0, bytes);
    const entries = Math.ceil(image.sizeBytes / (bytes.length * (bytes.length / 8)));
    const header = { ...decodeHeader(path, withoutDisk(bytes), bytes.length), sizeBytes: image.sizeBytes };
    const counts = new ReferenceCounts();
    counts.add(0);
    const refcounts = new Refcounts(file, header, counts, 0, new Float64Array(0));
    writeMetadata(file, header, { refcounts }, new Float64Array(entries), []);
  } finally {
    file.close();
  }
}

/** The header before there is an L1 table: of a disk that needs none. */
function withoutDisk(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy.fill(0, 24, 32);
  return copy;
}

function headerCluster({ sizeBytes, version = 3, clusterBits = 16, refcountOrder = 4, backing }: NewImage): Buffer {
  const bytes = Buffer.alloc(2 ** clusterBits);
  bytes.write(QCOW_MAGIC, 0, 'latin1');
  bytes.writeUInt32BE(version, 4);
  bytes.writeUInt32BE(clusterBits, 20);
  bytes.writeBigUInt64BE(BigInt(sizeBytes), 24);
  let at = 72;
  if (version === 3) {
    bytes.writeUInt32BE(refcountOrder, 96);
    bytes.writeUInt32BE(104, 100);
    at = 104;
  }
  if (backing === undefined) return bytes;
  bytes.writeUInt32BE(BACKING_FORMAT, at);
  bytes.writeUInt32BE(backing.format.length, at + 4);
  bytes.write(backing.format, at + 8);
  // An end of extensions, then the name.
  const name = at + 8 + Math.ceil(backing.format.length / 8) * 8 + 8;
  if (name + Buffer.byteLength(backing.name) > bytes.length)
    throw new UserError('bad-option', `the name of the backing file ${backing.name} does not fit into a cluster of ${bytes.length} bytes`);
  bytes.writeBigUInt64BE(BigInt(name), 8);
  bytes.writeUInt32BE(Buffer.byteLength(backing.name), 16);
  bytes.write(backing.name, name);
  return bytes;
}
