// Oracle: manual (QEMU, docs/interop/qcow2.txt): images written down from it
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SECTOR_BYTES } from '../../src/block/block-device.js';
import { HostFile } from '../../src/block/host-file.js';
import { backingFiles, type ImageFile, openImages } from '../../src/block/image-chain.js';
import { probeFormat } from '../../src/block/image-format.js';
import { Qcow2Image } from '../../src/block/qcow2/qcow2-image.js';
import { UserError } from '../../src/core/errors.js';
import { temporaryFolder } from '../cli.js';
import { type TinyImage, type TinyLayout, tinyQcow2 } from './tiny-qcow2.js';

const dir = temporaryFolder();
const DISK = 20 * 4096;

function file(name: string, bytes: Uint8Array): string {
  const path = join(dir, name);
  writeFileSync(path, bytes);
  return path;
}

/** What is on the disk of an image, up to 1 MiB, and what it stands on; null: a cluster cannot be read. */
function contents(path: string): Buffer | null {
  const image: ImageFile = { file: path, format: 'qcow2' };
  const { device, close } = openImages([image, ...backingFiles(image)]);
  // A damaged header may speak of terabytes.
  const bytes = Buffer.alloc(Math.min(device.sectorCount, 2048) * SECTOR_BYTES);
  const good = device.read(0, bytes);
  close();
  return good ? bytes : null;
}

const pattern = (seed: number, length = 4096): Uint8Array => Uint8Array.from({ length }, (_, i) => seed + (i >> 5));

describe.each([2, 3] as const)('an image of version %d', (version) => {
  it('gives its clusters, plain and compressed, and zeros where there is none', () => {
    const compressed = { compressed: pattern(50) };
    const zero = version === 3 ? ([[3, 'zero']] as const) : [];
    const { bytes } = tinyQcow2({ version, sizeBytes: DISK, clusters: [[1, pattern(7)], [19, compressed], ...zero] });
    const expected = Buffer.alloc(DISK);
    expected.set(pattern(7), 4096);
    expected.set(pattern(50), 19 * 4096);
    expect(contents(file('plain', bytes))).toEqual(expected);
  });

  it('gives sectors of any place and number', () => {
    const { bytes } = tinyQcow2({
      version,
      sizeBytes: DISK,
      clusters: [
        [2, pattern(1)],
        [3, { compressed: pattern(9) }],
      ],
    });
    const path = file('sectors', bytes);
    const whole = contents(path)!;
    const image = new Qcow2Image(new HostFile(path), null);
    for (let start = 0; start < image.sectorCount; start += 3) {
      const piece = Buffer.alloc(Math.min(11, image.sectorCount - start) * SECTOR_BYTES);
      expect(image.read(start, piece)).toBe(true);
      expect(piece.equals(whole.subarray(start * SECTOR_BYTES, start * SECTOR_BYTES + piece.length))).toBe(true);
    }
    expect(image.write()).toBe(false);
  });

  it('stands on raw files and images of its folder, shorter or longer than itself', () => {
    const [short, long] = [pattern(3, 4096 + 100), pattern(4, 30 * 4096)];
    file('short.raw', short);
    const middle = tinyQcow2({
      version,
      clusterBits: 9,
      sizeBytes: 4096,
      backing: { name: 'short.raw', format: 'raw' },
      clusters: [[7, pattern(90, 512)]],
    });
    file('middle.qcow2', middle.bytes);
    const top = tinyQcow2({ version, sizeBytes: DISK, backing: { name: './middle.qcow2' }, clusters: [[5, pattern(77)]] });
    const expected = Buffer.alloc(DISK);
    expected.set(short.subarray(0, 3584));
    expected.set(pattern(90, 512), 3584);
    expected.set(pattern(77), 5 * 4096);
    expect(contents(file('top', top.bytes))).toEqual(expected);
    file('long.raw', long);
    const small = tinyQcow2({ version, sizeBytes: DISK, backing: { name: join(dir, 'long.raw'), format: 'raw' } });
    expect(contents(file('top', small.bytes))).toEqual(Buffer.from(long.subarray(0, DISK)));
  });
});

describe('the name of a backing file', () => {
  mkdirSync(join(dir, 'outside'));
  mkdirSync(join(dir, 'inside'));
  file('outside/secret', pattern(5, 512));
  const named = (name: string, format?: string): ImageFile => {
    const backing = format === undefined ? { name } : { name, format };
    return { file: file('inside/image', tinyQcow2({ version: 3, sizeBytes: DISK, backing }).bytes), format: 'qcow2' };
  };

  it.each(['../outside/secret', join(dir, 'outside', 'secret'), '../inside/../outside/secret', 'link', 'folder-link/secret'])(
    'that leads out of the folder of the image is refused unless that folder is allowed: %s',
    (name) => {
      if (name === 'link') symlinkSync('../outside/secret', join(dir, 'inside', 'link'));
      if (name === 'folder-link/secret') symlinkSync('../outside', join(dir, 'inside', 'folder-link'));
      expect(() => backingFiles(named(name))).toThrow(/outside the folder of .*inside\/image; --backing-folder allows another folder/);
      expect(backingFiles(named(name), [join(dir, 'outside')])).toMatchObject([{ format: 'raw' }]);
    },
  );

  it.each([
    ['image', undefined, /whose own backing file it is/],
    ['nothing', undefined, /backing file .*nothing, which is not there/],
    ['nbd://host/x', undefined, /no plain file name/],
    ['json:{"driver":"file"}', undefined, /no plain file name/],
    ['../outside', 'raw', /outside the folder|not a regular file/],
    ['x', 'vmdk', /of format "vmdk"/],
    ['a\x1b[31m', undefined, /control characters/],
  ] as const)('that is of no use is refused: %s', (name, format, message) => {
    expect(() => openImages([named(name, format), ...backingFiles(named(name, format))])).toThrow(message);
  });

  it('may not close a circle', () => {
    file('inside/b', tinyQcow2({ version: 3, sizeBytes: DISK, backing: { name: 'image', format: 'qcow2' } }).bytes);
    expect(() => backingFiles(named('b', 'qcow2'))).toThrow(/inside\/b has the backing file .*inside\/image, whose own backing file it is/);
  });

  it('may be one of a long chain, but not of an endless one', () => {
    for (let i = 0; i < 202; i++) {
      const backing = i === 0 ? {} : { backing: { name: `chain${i - 1}`, format: 'qcow2' } };
      file(`chain${i}`, tinyQcow2({ version: 3, sizeBytes: DISK, ...backing }).bytes);
    }
    expect(backingFiles({ file: join(dir, 'chain100'), format: 'qcow2' })).toHaveLength(100);
    expect(() => backingFiles({ file: join(dir, 'chain201'), format: 'qcow2' })).toThrow(/more than 199 backing files/);
  });
});

describe('an image that cannot be read', () => {
  const GOOD: TinyImage = {
    version: 3,
    sizeBytes: DISK,
    clusters: [
      [1, pattern(7)],
      [2, { compressed: pattern(8) }],
    ],
  };
  const damage: readonly (readonly [string, (image: TinyLayout) => void, RegExp])[] = [
    ['magic', ({ bytes }) => bytes.writeUInt8(0, 0), /not a qcow2 image/],
    ['version 4', ({ bytes }) => bytes.writeUInt32BE(4, 4), /version 4; versions 2 and 3/],
    ['clusters of 256 bytes', ({ bytes }) => bytes.writeUInt32BE(8, 20), /clusters of 2\^8/],
    ['clusters of 4 MiB', ({ bytes }) => bytes.writeUInt32BE(22, 20), /clusters of 2\^22/],
    ['no sectors', ({ bytes }) => bytes.writeBigUInt64BE(511n, 24), /without sectors/],
    ['a disk of 2^60 bytes', ({ bytes }) => bytes.writeBigUInt64BE(1n << 60n, 24), /a disk of/],
    ['a disk larger than its L1 table', ({ bytes }) => bytes.writeBigUInt64BE(1n << 40n, 24), /L1 table of 1 entries, but .* needs 524288/],
    ['AES', ({ bytes }) => bytes.writeUInt32BE(1, 32), /is encrypted/],
    ['LUKS', ({ bytes }) => bytes.writeUInt32BE(2, 32), /is encrypted/],
    ['a huge L1 table', ({ bytes }) => bytes.writeUInt32BE(0x20000000, 36), /L1 table of 4294967296 bytes; at most/],
    ['an L1 table behind the end', ({ bytes }) => bytes.writeBigUInt64BE(1n << 40n, 40), /L1 table ends at .* behind the end of the file/],
    ['an L1 table that is not aligned', ({ bytes }) => bytes.writeBigUInt64BE(8n, 40), /L1 table at 8, which is not the start/],
    ['an L1 table in the header', ({ bytes }) => bytes.writeBigUInt64BE(0n, 40), /L1 table at 0/],
    ['a huge refcount table', ({ bytes }) => bytes.writeUInt32BE(0xffff, 56), /refcount table of/],
    [
      'a refcount table on the L1 table',
      ({ bytes, l1 }) => bytes.writeBigUInt64BE(BigInt(l1), 48),
      /refcount table at 12288 overlaps the L1/,
    ],
    ['too many snapshots', ({ bytes }) => bytes.writeUInt32BE(65537, 60), /65537 snapshots/],
    [
      'snapshots behind the end',
      ({ bytes }) => {
        bytes.writeUInt32BE(9, 60);
        bytes.writeBigUInt64BE(1n << 30n, 64);
      },
      /snapshot table ends/,
    ],
    ['reference counts of 128 bits', ({ bytes }) => bytes.writeUInt32BE(7, 96), /reference counts of 2\^7/],
    ['a header of 8 bytes', ({ bytes }) => bytes.writeUInt32BE(8, 100), /a header of 8 bytes/],
    ['data elsewhere', ({ bytes }) => bytes.writeUInt32BE(4, 76), /data_file/],
    ['extended L2 entries', ({ bytes }) => bytes.writeUInt32BE(16, 76), /extended_l2=on/],
    ['a feature nobody knows', ({ bytes }) => bytes.writeUInt32BE(1, 72), /feature of bit 32/],
    [
      'an extension behind its place',
      ({ bytes }) => {
        bytes.writeUInt32BE(7, 104);
        bytes.writeUInt32BE(1 << 30, 108);
      },
      /header extension of/,
    ],
    ['a name outside the first cluster', ({ bytes }) => bytes.writeBigUInt64BE(5000n, 8), /outside the first cluster/],
    [
      'a name that is too long',
      ({ bytes }) => {
        bytes.writeBigUInt64BE(256n, 8);
        bytes.writeUInt32BE(1024, 16);
      },
      /name of 1024 bytes/,
    ],
    [
      'an L2 table behind the end',
      ({ bytes, l1 }) => bytes.writeUInt32BE(0x7fff000, l1 + 4),
      /L1 entry 0 places an L2 table .* behind the end/,
    ],
    ['an L2 table that is not aligned', ({ bytes, l1, l2 }) => bytes.writeUInt32BE(l2 + 512, l1 + 4), /not the start of a cluster/],
    ['an L2 table on the L1 table', ({ bytes, l1 }) => bytes.writeUInt32BE(l1, l1 + 4), /where the L1 table is/],
    ['reserved bits in L1', ({ bytes, l1 }) => bytes.writeUInt8(0x81, l1), /L1 entry 0 has reserved bits/],
    ['reserved bits in L2', ({ bytes, l2 }) => bytes.writeUInt8(0x81, l2 + 8), /entry 1 of the L2 table at 16384 has reserved bits/],
    ['data behind the end', ({ bytes, l2 }) => bytes.writeUInt32BE(0x7fff000, l2 + 12), /entry 1 .* behind the end/],
    [
      'data that is not aligned',
      ({ bytes, l2, data }) => bytes.writeUInt32BE(data + 512, l2 + 12),
      /entry 1 .* not the start of a cluster/,
    ],
    ['data in the header', ({ bytes, l2 }) => bytes.writeBigUInt64BE((1n << 62n) | 8n, l2 + 8), /entry 1 .* where the header is/],
    ['data in its own L2 table', ({ bytes, l2 }) => bytes.writeUInt32BE(l2, l2 + 12), /entry 1 .* where an L2 table is/],
    [
      'a zero cluster in version 2',
      ({ bytes, l2 }) => {
        bytes.writeUInt32BE(2, 4);
        bytes.writeUInt32BE(1, l2 + 12);
      },
      /which images of version 2/,
    ],
  ];

  it.each(damage)('%s is refused in one sentence', (_, harm, message) => {
    const image = tinyQcow2(GOOD);
    harm(image);
    const path = file('bad', image.bytes);
    expect(() => contents(path)).toThrow(UserError);
    expect(() => contents(path)).toThrow(message);
    expect(() => contents(path)).toThrow(/^[^\n]+$/);
  });

  it('names features by the table of the image', () => {
    const { bytes } = tinyQcow2(GOOD);
    bytes.writeUInt32BE(1 << 9, 76);
    bytes.writeUInt32BE(0x6803f857, 104);
    bytes.writeUInt32BE(48, 108);
    bytes.write('\0\x09shiny\x1bnew\0', 112, 'latin1');
    expect(() => contents(file('bad', bytes))).toThrow('needs the feature "shiny?new"');
  });

  it('two L1 entries may not share an L2 table', () => {
    const { bytes, l1, l2 } = tinyQcow2({ version: 3, clusterBits: 9, sizeBytes: 512 * 100 });
    bytes.writeUInt32BE(l2, l1 + 12);
    expect(() => contents(file('bad', bytes))).toThrow(/L1 entry 1 places an L2 table at 2048, where an L2 table is/);
  });

  it('compressed data that gives more or less than a cluster cannot be read; the rest can', () => {
    for (const length of [4095, 4097, 8192]) {
      const clusters = [
        [1, pattern(7)],
        [2, { compressed: pattern(1, length) }],
      ] as const;
      const path = file('bad', tinyQcow2({ version: 3, sizeBytes: DISK, clusters }).bytes);
      expect(contents(path)).toBeNull();
      const sectors = Buffer.alloc(8192);
      expect(new Qcow2Image(new HostFile(path), null).read(0, sectors)).toBe(true);
      expect(sectors.subarray(4096)).toEqual(Buffer.from(pattern(7)));
    }
  });

  it('is told by an error of ours or read, whatever bytes are flipped or cut off', () => {
    let seed = 2026;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return (seed >>> 8) % below;
    };
    for (let i = 0; i < 600; i++) {
      const { bytes, data } = tinyQcow2({
        version: 3,
        clusterBits: 9,
        sizeBytes: 512 * 64,
        clusters: [
          [1, pattern(7, 512)],
          [2, { compressed: pattern(8, 512) }],
        ],
      });
      for (let n = random(3); n >= 0; n--) {
        const at = random(3) === 0 ? random(bytes.length) : random(2) === 0 ? random(112) : 512 * 3 + random(data - 512 * 3);
        bytes[at] = random(2) === 0 ? random(256) : bytes[at]! ^ (1 << random(8));
      }
      const path = file('fuzzed', random(10) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes);
      try {
        contents(path);
      } catch (e) {
        expect(e, `round ${i}: ${(e as Error).stack}`).toBeInstanceOf(UserError);
      }
    }
  });
});

describe('the format of an image', () => {
  it.each([
    ['QFI\xfb\0\0\0\x02', 'qcow2'],
    ['QFI\xfb\0\0\0\x03', 'qcow2'],
    ['anything', 'raw'],
    ['', 'raw'],
  ])('is told from its first bytes', (bytes, format) => {
    expect(probeFormat(file('probed', Buffer.from(bytes, 'latin1')))).toBe(format);
  });

  it.each(['QFI\xfb\0\0\0\x01', 'QED\0', 'KDMV', 'vhdxfile', 'conectix'])(
    'that cannot be read is refused, not taken as raw: %j',
    (bytes) => {
      expect(() => probeFormat(file('probed', Buffer.from(bytes, 'latin1')))).toThrow(
        /format .*, which cannot be read; convert it with qemu-img/,
      );
    },
  );
});
