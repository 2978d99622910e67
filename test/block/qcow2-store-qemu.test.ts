// Oracle: QEMU run (7.2.22): qemu-img checks what we write, reads it, and lists its snapshots; self-consistency with an array of bytes
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { BlockDevice } from '../../src/block/block-device.js';
import { HostFile } from '../../src/block/host-file.js';
import { createQcow2, type NewImage } from '../../src/block/qcow2/create.js';
import { Qcow2Store } from '../../src/block/qcow2/qcow2-store.js';
import { RawImage } from '../../src/block/raw-image.js';
import { temporaryFolder } from '../cli.js';
import { requireTool } from '../tools.js';

const dir = temporaryFolder();
const at = (name: string): string => join(dir, name);
const img = (...args: string[]): string => execFileSync('qemu-img', args, { cwd: dir, encoding: 'utf8' });
const DATE = { dateSeconds: 1_700_000_000, dateNanoseconds: 5 };

function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
}

/** Status of qemu-img check: 0 nothing wrong, 2 damage, 3 lost clusters only. */
function check(name: string): { status: number | null; text: string } {
  const { status, stdout, stderr } = spawnSync('qemu-img', ['check', '-f', 'qcow2', name], { cwd: dir, encoding: 'utf8' });
  return { status, text: stdout + stderr };
}

/** What qemu-img finds on the disk of an image, or of a snapshot in it. */
function disk(name: string, snapshot?: string): Buffer {
  img('convert', ...(snapshot === undefined ? [] : ['-l', `snapshot.name=${snapshot}`]), '-f', 'qcow2', '-O', 'raw', name, 'flat');
  return readFileSync(at('flat'));
}

/** An image being written to, beside the bytes that should be on it. */
class Written {
  readonly name: string;
  readonly backing: BlockDevice | null;
  bytes: Buffer;
  readonly snapshots = new Map<string, { bytes: Buffer; state: Uint8Array; icount: number | null }>();
  store: Qcow2Store;
  private file: HostFile;
  private count = 0;

  constructor(name: string, bytes: Buffer, backing: BlockDevice | null) {
    this.name = name;
    this.bytes = bytes;
    this.backing = backing;
    this.file = new HostFile(at(name), 'r+');
    this.store = new Qcow2Store(this.file, backing);
  }

  reopen(): void {
    this.file.close();
    this.file = new HostFile(at(this.name), 'r+');
    this.store = new Qcow2Store(this.file, this.backing);
  }

  step(random: (below: number) => number): void {
    const names = [...this.snapshots.keys()];
    const some = names[random(names.length || 1)];
    const kind = random(20);
    if (kind < 14) this.write(random);
    else if (kind < 17 && names.length < 4) this.snapshot(random);
    else if (kind === 17 && some !== undefined) {
      this.store.deleteSnapshot(some);
      this.snapshots.delete(some);
    } else if (kind === 18 && some !== undefined) {
      this.store.applySnapshot(some);
      this.bytes = Buffer.from(this.snapshots.get(some)!.bytes);
    } else this.reopen();
  }

  private write(random: (below: number) => number): void {
    const sectors = this.bytes.length / 512;
    const start = random(sectors);
    const data = Buffer.alloc(512 * (1 + random(Math.min(300, sectors - start))), random(255) + 1);
    expect(this.store.write(start, data)).toBe(true);
    data.copy(this.bytes, start * 512);
  }

  private snapshot(random: (below: number) => number): void {
    const name = `snapshot ${++this.count}`;
    const state = Uint8Array.from({ length: random(200_000) }, (_, i) => i >> 8);
    const icount = random(4) === 0 ? null : random(1 << 20) * 2 ** 25;
    this.store.createSnapshot({ name, ...DATE, vmClockNs: 3_000_000_000, icount }, state);
    this.snapshots.set(name, { bytes: Buffer.from(this.bytes), state, icount });
  }

  expectRight(): void {
    const { status, text } = check(this.name);
    expect(status, text).toBe(0);
    expect(disk(this.name).equals(this.bytes)).toBe(true);
    writeFileSync(at('expected.raw'), this.bytes);
    expect(img('compare', '-f', 'qcow2', '-F', 'raw', this.name, 'expected.raw')).toBe('Images are identical.\n');
    const read = Buffer.alloc(this.bytes.length);
    expect(this.store.read(0, read) && read.equals(this.bytes)).toBe(true);
    const listed = img('snapshot', '-l', this.name)
      .split('\n')
      .slice(2)
      .filter((line) => line !== '');
    expect(listed).toHaveLength(this.snapshots.size);
    for (const [name, { bytes, state, icount }] of this.snapshots) {
      expect(disk(this.name, name).equals(bytes)).toBe(true);
      expect(Buffer.from(this.store.readVmState(name)).equals(state)).toBe(true);
      const line = listed.find((l) => l.includes(name))!;
      // The column is too narrow for large counts.
      expect(/00:00:03\.000 *(\d*) *$/.exec(line)?.[1]).toBe(icount === null ? '' : String(icount));
    }
  }
}

describe.skipIf(!requireTool('qemu-img', 'qemu-utils'))('an image that we write to', () => {
  const KINDS: readonly (readonly [string, Omit<NewImage, 'sizeBytes'>])[] = [
    ['version 3', {}],
    ['version 2', { version: 2 }],
    ['clusters of 512 bytes', { clusterBits: 9 }],
    ['version 2, clusters of 1 KiB', { version: 2, clusterBits: 10 }],
    ['clusters of 2 MiB', { clusterBits: 21 }],
    ['counts of 8 bits', { clusterBits: 12, refcountOrder: 3 }],
    ['counts of 4 bits', { clusterBits: 10, refcountOrder: 2 }],
    ['counts of 64 bits', { clusterBits: 9, refcountOrder: 6 }],
  ];

  it.each(KINDS)('is whole and holds what was written, snapshots and all: %s', (kind, image) => {
    const random = generator(kind.length * 31);
    const sizeBytes = 512 * (3000 + random(5000));
    rmSync(at('image'), { force: true });
    createQcow2(at('image'), { ...image, sizeBytes });
    const written = new Written('image', Buffer.alloc(sizeBytes), null);
    written.expectRight();
    for (let round = 0; round < 5; round++) {
      for (let i = 0; i < 12; i++) written.step(random);
      written.expectRight();
    }
  });

  it.each([1, 2, 3])("made by qemu-img, on a backing file, with compressed and zero clusters and QEMU's snapshots: seed %d", (seed) => {
    const random = generator(seed);
    const base = Uint8Array.from({ length: 2_000_000 - (2_000_000 % 512) }, (_, i) => i >> 10);
    writeFileSync(at('base'), base);
    img('convert', '-c', '-O', 'qcow2', '-B', 'base', '-F', 'raw', '-o', `cluster_size=${[512, 4096, 65536][seed - 1]}`, 'base', 'image');
    const options = seed === 2 ? 'compat=1.1,lazy_refcounts=on' : 'compat=1.1';
    img('create', '-q', '-f', 'qcow2', '-b', 'base', '-F', 'raw', '-o', options, 'image', '3M');
    const commands = ['write -q -P 9 100k 300k', 'write -q -z 200k 700k', 'write -q -c -P 5 1M 64k', 'write -q -z -u 1900k 100k'];
    execFileSync('qemu-io', ['-f', 'qcow2', ...commands.flatMap((c) => ['-c', c]), 'image'], { cwd: dir });
    img('snapshot', '-c', 'theirs', 'image');
    const written = new Written('image', disk('image'), new RawImage(at('base')));
    written.store.deleteSnapshot('theirs');
    written.expectRight();
    for (let i = 0; i < 40; i++) written.step(random);
    written.expectRight();
    // And QEMU goes on where we stopped.
    execFileSync('qemu-io', ['-f', 'qcow2', '-c', 'write -q -P 77 0 1M', 'image'], { cwd: dir });
    for (const name of written.snapshots.keys()) img('snapshot', '-d', name, 'image');
    expect(check('image')).toMatchObject({ status: 0 });
  });

  it('is repaired first when it was not closed in good order', () => {
    img('create', '-q', '-f', 'qcow2', '-o', 'lazy_refcounts=on', 'image', '4M');
    spawnSync('qemu-io', ['-f', 'qcow2', '-c', 'write -q -P 3 0 2M', '-c', 'abort', 'image'], { cwd: dir });
    expect(readFileSync(at('image')).readUInt32BE(76)).toBe(1);
    const written = new Written('image', Buffer.concat([Buffer.alloc(2 << 20, 3), Buffer.alloc(2 << 20)]), null);
    written.expectRight();
    for (let i = 0; i < 20; i++) written.step(generator(4));
    written.expectRight();
  });

  it('is not written to when its counts are too small', () => {
    rmSync(at('image'), { force: true });
    createQcow2(at('image'), { sizeBytes: 1 << 20 });
    const bytes = readFileSync(at('image'));
    const table = Number(bytes.readBigUInt64BE(48));
    bytes.writeUInt16BE(0, Number(bytes.readBigUInt64BE(table)) + 2);
    writeFileSync(at('image'), bytes);
    expect(() => new Qcow2Store(new HostFile(at('image'), 'r+'), null)).toThrow(
      /in use 1 times, but counted 0 times; qemu-img check -r all/,
    );
  });

  class Killed extends Error {}

  /** Is killed at its n-th write, of which half is done. */
  class MortalFile extends HostFile {
    left: number;
    constructor(path: string, writes: number) {
      super(path, 'r+');
      this.left = writes;
    }
    override write(position: number, source: Uint8Array): void {
      if (--this.left >= 0) return super.write(position, source);
      if (source.length > 4096) super.write(position, source.subarray(0, source.length / 2));
      throw new Killed();
    }
  }

  it.each([9, 12])('is whole wherever its writer is killed, with clusters of 2^%d bytes', (clusterBits) => {
    const sizeBytes = 300 << clusterBits;
    rmSync(at('start'), { force: true });
    createQcow2(at('start'), { sizeBytes, clusterBits });
    const first = new Written('start', Buffer.alloc(sizeBytes), null);
    first.store.write(0, Buffer.alloc(20 << clusterBits, 1));
    const work = (store: Qcow2Store): void => {
      store.createSnapshot({ name: 'a', ...DATE, vmClockNs: 0, icount: 1 }, Buffer.alloc(3 << clusterBits, 8));
      store.write(3, Buffer.alloc(5 << clusterBits, 2));
      store.write((sizeBytes >> 9) - 8, Buffer.alloc(8 * 512, 3));
      store.createSnapshot({ name: 'b', ...DATE, vmClockNs: 0, icount: 2 }, null);
      store.write(5, Buffer.alloc(3 << clusterBits, 4));
      store.deleteSnapshot('a');
      store.applySnapshot('b');
      store.write(1, Buffer.alloc(30 << clusterBits, 5));
    };
    for (let writes = 0, killed = true; killed; writes += 1 + (writes >> 5)) {
      copyFileSync(at('start'), at('killed'));
      const file = new MortalFile(at('killed'), writes);
      try {
        work(new Qcow2Store(file, null));
        killed = false;
      } catch (e) {
        if (!(e instanceof Killed)) throw e;
      }
      file.close();
      const { status, text } = check('killed');
      expect([0, 3], `${writes} writes: ${text}`).toContain(status);
      const again = new HostFile(at('killed'), 'r+');
      expect(new Qcow2Store(again, null).write(0, Buffer.alloc(512))).toBe(true);
      again.close();
    }
  });
});
