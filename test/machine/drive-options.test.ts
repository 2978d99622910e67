// Oracle: QEMU run (7.2.22): the command lines of its record/replay documentation, and where it puts disks that are given no place
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/core/errors.js';
import { configure } from '../../src/machine/config.js';
import type { DriveConfig } from '../../src/machine/drive-options.js';
import { tinyQcow2 } from '../block/tiny-qcow2.js';
import { temporaryFolder } from '../cli.js';

const dir = temporaryFolder();
const raw = join(dir, 'disk.img');
const qcow2 = join(dir, 'disk.qcow2');
writeFileSync(raw, Buffer.alloc(4096));
writeFileSync(qcow2, tinyQcow2({ version: 3, sizeBytes: 4096 }).bytes);

const disks = (drive: string[], device: string[] = []): readonly DriveConfig[] => configure({ drive, device }).drives;
const places = (drive: string[], device: string[] = []): number[] => disks(drive, device).map(({ index }) => index);

describe('disks', () => {
  it('are given as in the documentation of record/replay', () => {
    const drive = [`file=${qcow2},if=none,snapshot,id=img-direct`, 'driver=blkreplay,if=none,image=img-direct,id=img-blkreplay'];
    const config = configure({ drive, device: ['ide-hd,drive=img-blkreplay', 'isa-debug-exit'] });
    expect(config.drives).toEqual([{ file: qcow2, format: 'qcow2', interface: 'ide', index: 0 }]);
    expect(config.devices).toMatchObject([{ name: 'isa-debug-exit' }]);
  });

  it('have the format that is given, or that their first bytes tell', () => {
    expect(disks([raw, `file=${qcow2}`, `file=${qcow2},format=raw`, `driver=raw,file=${raw}`]).map(({ format }) => format)).toEqual([
      'raw',
      'qcow2',
      'raw',
      'raw',
    ]);
  });

  it('take the first free place, those of --device after those of --drive', () => {
    expect(places([raw, raw])).toEqual([0, 1]);
    expect(places([`${raw},index=2`, raw, `file=${raw},index=3`])).toEqual([2, 0, 3]);
    const none = (id: string): string => `file=${raw},if=none,id=${id}`;
    expect(places([none('a'), raw, none('b')], ['ide-hd,drive=a', 'ide-hd,drive=b'])).toEqual([0, 1, 2]);
    expect(places([none('a'), none('b')], ['ide-hd,drive=b,bus=ide.1', 'ide-hd,drive=a,unit=1'])).toEqual([2, 1]);
  });

  it('stand on the backing files that their images name', () => {
    mkdirSync(join(dir, 'sub'));
    const top = join(dir, 'sub', 'top');
    writeFileSync(top, tinyQcow2({ version: 2, sizeBytes: 4096, backing: { name: '../disk.qcow2' } }).bytes);
    expect(() => disks([top])).toThrow(
      /--drive file=.*top: .* names the backing file .*disk\.qcow2, which is outside .*; --backing-folder/,
    );
    expect(configure({ drive: [top], backingFolder: [dir] }).drives).toMatchObject([
      { file: top, backing: [{ file: qcow2, format: 'qcow2' }] },
    ]);
  });

  it.each([
    [['if=none,id=a'], [], /file= is missing/],
    [[`file=${raw},if=none`], [], /no device uses/],
    [[`file=${raw},if=none,id=rr`], [], /--drive id=rr: no device uses this drive/],
    [[`file=${raw},if=none,id=a`, `file=${raw},if=none,id=a`], ['ide-hd,drive=a'], /another drive has id=a/],
    [[], ['ide-hd,drive=a'], /--device ide-hd,drive=a: there is no --drive with if=none,id=a/],
    [[], ['ide-hd'], /drive= is missing/],
    [[`file=${raw},if=none,id=a`], ['ide-hd,drive=a', 'ide-hd,drive=a'], /the drive a is in use already/],
    [[raw, raw, raw, raw, raw], [], /4 places for disks/],
    [[raw, raw, `file=${raw},if=none,id=a`], ['ide-hd,drive=a,bus=ide.0'], /place on the IDE controller is taken/],
    [['driver=blkreplay,if=none,image=x,id=y'], [], /no --drive with if=none,id=x/],
    [[`file=${raw},if=virtio`], [], /--drive if virtio: known are ide, none/],
    [[`file=${raw},media=cdrom`], [], /media=cdrom is not supported: this machine has no CD-ROM drive/],
    [[`file=${raw},snapshot=off`], [], /images are never written to/],
    [[`file=${raw},format=raw,driver=raw`], [], /driver= and format= are the same/],
    [[`file=${raw},format=qcow2`], [], /not a qcow2 image/],
  ] as const)('that cannot be are refused: %j %j', (drive, device, message) => {
    expect(() => disks([...drive], [...device])).toThrow(UserError);
    expect(() => disks([...drive], [...device])).toThrow(message);
  });
});
