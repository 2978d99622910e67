import { statSync } from 'node:fs';
import { SECTOR_BYTES } from '../block/block-device.js';
import { HostFile } from '../block/host-file.js';
import { readHeader } from '../block/qcow2/qcow2-image.js';
import type { Job } from './job.js';
import type { PcMachine } from './pc.js';

/** A drive as monitors list it. */
export interface DriveDescription {
  /** QEMU's name of the place it has on its controller, or what it is for. */
  readonly device: string;
  /** Image on top. */
  readonly file: string;
  readonly format: string;
  readonly sizeBytes: number;
  /** Bytes that the file has on the host; 0 when it cannot be seen. */
  readonly fileBytes: number;
  /** Images below, nearest first. */
  readonly backing: readonly string[];
  /** A guest has it. Else it keeps snapshots. */
  readonly attached: boolean;
}

const NAMES = ['ide0-hd0', 'ide0-hd1', 'ide1-hd0', 'ide1-hd1'];

/** The disks of a machine by their place, and the image that keeps its snapshots, if there is one. */
export function describeDrives({ config, disks }: PcMachine, { snapshots }: Pick<Job, 'snapshots'>): DriveDescription[] {
  const attached = [...config.drives]
    .sort((a, b) => a.index - b.index)
    .map(({ file, format, index, backing = [] }): DriveDescription => {
      const sizeBytes = disks.devices[index]!.sectorCount * SECTOR_BYTES;
      const fileBytes = lengthOf(config.foundAt?.get(file) ?? file);
      return { device: NAMES[index]!, file, format, sizeBytes, fileBytes, backing: backing.map((b) => b.file), attached: true };
    });
  const store = snapshots === undefined ? null : snapshotStore(snapshots.store);
  return store === null ? attached : [...attached, store];
}

/** Null: there is no such image (yet), or it is none. */
function snapshotStore(path: string): DriveDescription | null {
  let file: HostFile | null = null;
  try {
    file = new HostFile(path, 'r');
    const { sizeBytes } = readHeader(file);
    return { device: 'snapshots', file: path, format: 'qcow2', sizeBytes, fileBytes: file.lengthBytes, backing: [], attached: false };
  } catch {
    return null;
  } finally {
    file?.close();
  }
}

function lengthOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
