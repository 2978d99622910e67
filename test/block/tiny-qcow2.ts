import { deflateRawSync } from 'node:zlib';

/** What a cluster of a hand-made image holds. */
export type TinyCluster = Uint8Array | 'zero' | { readonly compressed: Uint8Array };

export interface TinyImage {
  readonly version: 2 | 3;
  readonly clusterBits?: number;
  readonly sizeBytes: number;
  readonly clusters?: readonly (readonly [number, TinyCluster])[];
  readonly backing?: { readonly name: string; readonly format?: string };
}

/** Where the parts of a hand-made image are. */
export interface TinyLayout {
  readonly bytes: Buffer;
  readonly clusterBytes: number;
  readonly l1: number;
  readonly l2: number;
  readonly data: number;
}

/**
 * An image written down from the specification (QEMU, docs/interop/qcow2.txt): header, refcount table, refcount block, L1 table, L2 tables, data, a cluster
 * each. Reference counts stay 0: they are for writers.
 */
export function tinyQcow2({ version, clusterBits = 12, sizeBytes, clusters = [], backing }: TinyImage): TinyLayout {
  const clusterBytes = 2 ** clusterBits;
  const perTable = clusterBytes / 8;
  const tables = Math.ceil(sizeBytes / clusterBytes / perTable);
  const [l1, l2] = [3 * clusterBytes, 4 * clusterBytes];
  const data = l2 + tables * clusterBytes;
  const head = Buffer.alloc(data);
  head.write('QFI\xfb', 0, 'latin1');
  head.writeUInt32BE(version, 4);
  head.writeUInt32BE(clusterBits, 20);
  head.writeBigUInt64BE(BigInt(sizeBytes), 24);
  head.writeUInt32BE(tables, 36);
  head.writeBigUInt64BE(BigInt(l1), 40);
  head.writeBigUInt64BE(BigInt(clusterBytes), 48);
  head.writeUInt32BE(1, 56);
  if (version === 3) {
    head.writeUInt32BE(4, 96);
    head.writeUInt32BE(104, 100);
  }
  if (backing !== undefined) writeBacking(head, version === 2 ? 72 : 104, backing);
  head.writeBigUInt64BE(BigInt(2 * clusterBytes), clusterBytes);
  for (let i = 0; i < tables; i++) head.writeBigUInt64BE((1n << 63n) | BigInt(l2 + i * clusterBytes), l1 + 8 * i);
  const pieces: Buffer[] = [head];
  let end = data;
  for (const [number, cluster] of clusters) {
    const { entry, bytes } = place(cluster, end, clusterBits);
    head.writeBigUInt64BE(entry, l2 + 8 * number);
    pieces.push(bytes);
    end += bytes.length;
  }
  return { bytes: Buffer.concat(pieces), clusterBytes, l1, l2, data };
}

function writeBacking(head: Buffer, extensions: number, { name, format }: NonNullable<TinyImage['backing']>): void {
  if (format !== undefined) {
    head.writeUInt32BE(0xe2792aca, extensions);
    head.writeUInt32BE(format.length, extensions + 4);
    head.write(format, extensions + 8);
  }
  head.writeBigUInt64BE(256n, 8);
  head.writeUInt32BE(Buffer.byteLength(name), 16);
  head.write(name, 256);
}

function place(cluster: TinyCluster, offset: number, clusterBits: number): { entry: bigint; bytes: Buffer } {
  const clusterBytes = 2 ** clusterBits;
  if (cluster === 'zero') return { entry: 1n, bytes: Buffer.alloc(0) };
  if (cluster instanceof Uint8Array) {
    const bytes = Buffer.alloc(clusterBytes);
    bytes.set(cluster);
    return { entry: (1n << 63n) | BigInt(offset), bytes };
  }
  const packed = deflateRawSync(cluster.compressed, { windowBits: 12 });
  const bytes = Buffer.alloc(Math.ceil(packed.length / clusterBytes) * clusterBytes);
  bytes.set(packed);
  const units = BigInt(Math.ceil(packed.length / 512) - 1);
  return { entry: (1n << 62n) | (units << BigInt(62 - (clusterBits - 8))) | BigInt(offset), bytes };
}
