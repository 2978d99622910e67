import { UserError } from '../../core/errors.js';
import type { HostFile } from '../host-file.js';
import { bigEndian64 } from './big-endian.js';
import type { Qcow2Header } from './header.js';
import { readAll } from './refcounts.js';

const FIXED_BYTES = 40;
/** Extra data: size of the VM state, size of the disk, icount. */
const EXTRA_BYTES = 24;
/** Of all entries, as in QEMU. */
const MAX_TABLE_BYTES = 1024 * 65536;
const MAX_EXTRA_BYTES = 1024;

/** An internal snapshot as the table of an image describes it (QEMU, docs/interop/qcow2.txt, "Snapshots"). */
export interface SnapshotEntry {
  readonly id: string;
  readonly name: string;
  readonly l1Offset: number;
  readonly l1Entries: number;
  /** When it was taken, by the host's clock. */
  readonly dateSeconds: number;
  readonly dateNanoseconds: number;
  /** Virtual time at which it was taken. */
  readonly vmClockNs: number;
  /** Bytes of machine state, kept behind the end of the disk. */
  readonly vmStateBytes: number;
  readonly diskBytes: number;
  /** Instruction count at which it was taken; null: the machine did not count. */
  readonly icount: number | null;
}

/** Reads the snapshot table. Throws UserError for one that cannot be. */
export function readSnapshots(file: HostFile, header: Qcow2Header): { readonly entries: SnapshotEntry[]; readonly tableBytes: number } {
  const found: SnapshotEntry[] = [];
  const bad = (what: string): UserError => new UserError('image-corrupt', `${file.path}: snapshot ${found.length}: ${what}`);
  let at = header.snapshotsOffset;
  const fixed = Buffer.alloc(FIXED_BYTES);
  while (found.length < header.snapshotCount) {
    if (at + FIXED_BYTES > file.lengthBytes) throw bad('its description is behind the end of the file');
    readAll(file, at, fixed);
    const [idBytes, nameBytes, extraBytes] = [fixed.readUInt16BE(12), fixed.readUInt16BE(14), fixed.readUInt32BE(36)];
    if (extraBytes > MAX_EXTRA_BYTES) throw bad(`${extraBytes} bytes of extra data; at most ${MAX_EXTRA_BYTES} are possible`);
    const rest = Buffer.alloc(extraBytes + idBytes + nameBytes);
    readAll(file, at + FIXED_BYTES, rest);
    at += Math.ceil((FIXED_BYTES + rest.length) / 8) * 8;
    if (at - header.snapshotsOffset > MAX_TABLE_BYTES) throw bad(`the table has more than ${MAX_TABLE_BYTES} bytes`);
    const entry = decode(fixed, rest, extraBytes, header);
    const { l1Offset, l1Entries } = entry;
    if (l1Offset % header.clusterBytes !== 0 || l1Entries > 2 ** 22 || l1Offset + l1Entries * 8 > file.lengthBytes)
      throw bad(`an L1 table of ${l1Entries} entries at ${l1Offset}`);
    found.push(entry);
  }
  return { entries: found, tableBytes: at - header.snapshotsOffset };
}

function decode(fixed: Buffer, rest: Buffer, extraBytes: number, header: Qcow2Header): SnapshotEntry {
  const idEnd = extraBytes + fixed.readUInt16BE(12);
  const noIcount = extraBytes < 24 || rest.readBigUInt64BE(16) === 0xffff_ffff_ffff_ffffn;
  return {
    l1Offset: bigEndian64(fixed, 0),
    l1Entries: fixed.readUInt32BE(8),
    dateSeconds: fixed.readUInt32BE(16),
    dateNanoseconds: fixed.readUInt32BE(20),
    vmClockNs: bigEndian64(fixed, 24),
    vmStateBytes: extraBytes >= 8 ? bigEndian64(rest, 0) : fixed.readUInt32BE(32),
    diskBytes: extraBytes >= 16 ? bigEndian64(rest, 8) : header.sizeBytes,
    icount: noIcount ? null : bigEndian64(rest, 16),
    id: rest.toString('utf8', extraBytes, idEnd),
    name: rest.toString('utf8', idEnd),
  };
}

/** The snapshot table as it is in a file. */
export function encodeSnapshots(snapshots: readonly SnapshotEntry[]): Buffer {
  return Buffer.concat(snapshots.map(encode));
}

function encode(s: SnapshotEntry): Buffer {
  const [id, name] = [Buffer.from(s.id), Buffer.from(s.name)];
  const bytes = Buffer.alloc(Math.ceil((FIXED_BYTES + EXTRA_BYTES + id.length + name.length) / 8) * 8);
  bytes.writeBigUInt64BE(BigInt(s.l1Offset), 0);
  bytes.writeUInt32BE(s.l1Entries, 8);
  bytes.writeUInt16BE(id.length, 12);
  bytes.writeUInt16BE(name.length, 14);
  bytes.writeUInt32BE(s.dateSeconds, 16);
  bytes.writeUInt32BE(s.dateNanoseconds, 20);
  bytes.writeBigUInt64BE(BigInt(s.vmClockNs), 24);
  bytes.writeUInt32BE(s.vmStateBytes < 2 ** 32 ? s.vmStateBytes : 0, 32);
  bytes.writeUInt32BE(EXTRA_BYTES, 36);
  bytes.writeBigUInt64BE(BigInt(s.vmStateBytes), 40);
  bytes.writeBigUInt64BE(BigInt(s.diskBytes), 48);
  bytes.writeBigUInt64BE(s.icount === null ? 0xffff_ffff_ffff_ffffn : BigInt(s.icount), 56);
  id.copy(bytes, 64);
  name.copy(bytes, 64 + id.length);
  return bytes;
}
