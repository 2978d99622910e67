// Oracle: QEMU run (7.2.22): qemu-img and qemu-io make images of many kinds, and qemu-img says what is on their disks
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SECTOR_BYTES } from '../../src/block/block-device.js';
import { backingFiles, openImages } from '../../src/block/image-chain.js';
import { probeFormat } from '../../src/block/image-format.js';
import { temporaryFolder } from '../cli.js';
import { requireTool } from '../tools.js';
import { tinyQcow2 } from './tiny-qcow2.js';

const dir = temporaryFolder();
const img = (...args: string[]): string => execFileSync('qemu-img', args, { cwd: dir, encoding: 'utf8' });
const KIB = 1024;

function ours(name: string): Buffer {
  const image = { file: join(dir, name), format: probeFormat(join(dir, name)) };
  const { device, close } = openImages([image, ...backingFiles(image)]);
  const bytes = Buffer.alloc(device.sectorCount * SECTOR_BYTES);
  // In pieces that no cluster size divides.
  for (let sector = 0; sector < device.sectorCount; sector += 999)
    expect(device.read(sector, bytes.subarray(sector * SECTOR_BYTES, (sector + 999) * SECTOR_BYTES))).toBe(true);
  close();
  return bytes;
}

function expectSame(name: string): void {
  img('convert', '-O', 'raw', name, 'flat');
  const flat = readFileSync(join(dir, 'flat'));
  expect(flat.some((byte) => byte !== 0)).toBe(true);
  const found = ours(name);
  expect(found.equals(flat), name).toBe(true);
  // The other way: what we read, as an image of its own, beside the one that QEMU reads.
  writeFileSync(join(dir, 'found.raw'), found);
  expect(img('compare', '-F', 'raw', name, 'found.raw')).toBe('Images are identical.\n');
}

function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
}

/** Writes here and there, plain, zeros, compressed and discards, as a user of the image would. */
function scribble(name: string, sizeKib: number, random: (below: number) => number, clusterKib: number): void {
  const commands = Array.from({ length: 12 }, () => {
    const start = random(sizeKib);
    const length = 1 + random(Math.min(400, sizeKib - start));
    const range = `${start}k ${length}k`;
    const pattern = random(255);
    const aligned = Math.max(1, clusterKib) * random(Math.floor(sizeKib / Math.max(1, clusterKib)));
    return [
      `write -q -P ${pattern} ${range}`,
      `write -q -P ${pattern} ${range}`,
      `write -q -z ${range}`,
      `write -q -z -u ${range}`,
      `discard -q ${range}`,
      `write -q -c -P ${pattern} ${aligned}k ${Math.max(1, clusterKib)}k`,
    ][random(6)]!;
  });
  // Some writes are refused (compressed data over data): the others count.
  const { error } = spawnSync('qemu-io', ['-f', 'qcow2', '-t', 'unsafe', ...commands.flatMap((c) => ['-c', c]), name], {
    cwd: dir,
    stdio: 'ignore',
  });
  expect(error).toBeUndefined();
}

describe.skipIf(!requireTool('qemu-img', 'qemu-utils'))('images made by qemu-img', () => {
  const KINDS = [
    'compat=0.10',
    'compat=1.1',
    'compat=1.1,lazy_refcounts=on',
    'compat=1.1,refcount_bits=1',
    'compat=1.1,refcount_bits=64',
    'compat=1.1,preallocation=metadata',
    'compat=0.10,preallocation=falloc',
  ];
  const CLUSTERS = [512, 4096, 65536, 2 << 20];

  it.each(KINDS.flatMap((kind, k) => CLUSTERS.map((cluster, c) => [kind, cluster, k * 4 + c] as const)))(
    '%s with clusters of %d bytes are read alike, random seed %d',
    (kind, clusterBytes, seed) => {
      const random = generator(seed);
      const sizeKib = 3000 + random(3000);
      const clusterKib = clusterBytes / KIB;
      img('create', '-q', '-f', 'qcow2', '-o', `${kind},cluster_size=${clusterBytes}`, 'image', `${sizeKib}k`);
      scribble('image', sizeKib, random, clusterKib);
      if (!kind.includes('refcount_bits=1,') && !kind.endsWith('refcount_bits=1')) {
        img('snapshot', '-c', 'earlier', 'image');
        scribble('image', sizeKib, random, clusterKib);
      }
      expectSame('image');
    },
  );

  it.each([1, 2, 3, 4, 5, 6])('chains of raw, old and new images of different sizes are read alike, random seed %d', (seed) => {
    const random = generator(seed * 777);
    let below: readonly [string, string] = ['base.raw', 'raw'];
    const length = (1000 + random(3000)) * KIB + 512 * random(2);
    writeFileSync(
      join(dir, 'base.raw'),
      Uint8Array.from({ length }, (_, i) => i >> 10),
    );
    for (let level = 0; level < 4; level++) {
      const name = `level${level}`;
      const sizeKib = 500 + random(5000);
      const clusterKib = [0.5, 4, 64][random(3)]!;
      const options = `compat=${['0.10', '1.1'][random(2)]},cluster_size=${clusterKib * KIB}`;
      img('create', '-q', '-f', 'qcow2', '-b', below[0], '-F', below[1], '-o', options, name, `${sizeKib}k`);
      scribble(name, sizeKib, random, clusterKib);
      expectSame(name);
      below = [name, 'qcow2'];
    }
  });

  it('compressed as a whole are read alike', () => {
    const random = generator(5);
    writeFileSync(
      join(dir, 'mixed.raw'),
      Uint8Array.from({ length: 3_000_000 }, (_, i) => (i & 0x40000 ? random(256) : i >> 12)),
    );
    for (const options of ['cluster_size=65536', 'cluster_size=512', 'compat=0.10,cluster_size=4096', 'cluster_size=2097152']) {
      img('convert', '-c', '-f', 'raw', '-O', 'qcow2', '-o', options, 'mixed.raw', 'packed');
      expectSame('packed');
    }
  });

  it.each([
    ['extended_l2=on,cluster_size=65536', /extended_l2=on/],
    ['data_file=elsewhere', /data_file/],
    ['compression_type=zstd', /zstd/],
    ['encrypt.format=aes,encrypt.key-secret=key', /is encrypted/],
  ])('with %s are refused', (options, message) => {
    img('create', '-q', '-f', 'qcow2', '--object', 'secret,id=key,data=abcdefgh', '-o', options, 'other', '1M');
    expect(() => ours('other')).toThrow(message);
  });

  it('hold what our hand-made images hold', () => {
    for (const version of [2, 3] as const) {
      const { bytes } = tinyQcow2({
        version,
        sizeBytes: 1 << 20,
        clusters: [
          [3, Buffer.alloc(4096, 'plain')],
          [200, { compressed: Buffer.alloc(4096, 'compressed') }],
        ],
      });
      writeFileSync(join(dir, 'tiny'), bytes);
      expectSame('tiny');
    }
  });
});
