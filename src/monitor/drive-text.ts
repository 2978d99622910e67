import type { DriveDescription } from '../machine/describe-drives.js';

/** What the command line calls a drive. */
export interface DriveNames {
  /** `id=`. */
  readonly device: string | null;
  /** `node-name=`. */
  readonly node: string | null;
}

/** A drive with its names. */
export interface NamedDrive extends DriveDescription {
  readonly nodeName: string;
}

/** Drives by the names that they were given; the others have those of their places, as in QEMU, and nodes named after these. */
export function nameDrives(drives: readonly DriveDescription[], names: ReadonlyMap<string, DriveNames>): NamedDrive[] {
  return drives.map((drive) => {
    const { device, node } = names.get(drive.file) ?? { device: null, node: null };
    const name = device ?? drive.device;
    return { ...drive, device: name, nodeName: node ?? `#block-${name}`.slice(0, MAX_NODE_NAME) };
  });
}

const MAX_NODE_NAME = 31;

/** Drives as `info block` shows them. Guests never change an image: what they write stays in memory. */
export function driveLines(drives: readonly NamedDrive[]): string[] {
  return drives.flatMap(({ device, nodeName, file, format, backing, attached }, k) => [
    ...(k === 0 ? [] : ['']),
    `${device} (${nodeName}): ${file} (${format})`,
    ...(attached ? ['    Attached to:      ide-hd', '    Cache mode:       writeback, what is written stays in memory'] : []),
    ...(attached ? [] : ['    Removable device: not locked, tray closed', '    Keeps the snapshots of the machine']),
    ...(backing.length > 0 ? [`    Backing file:     ${backing[0]} (chain depth: ${backing.length})`] : []),
  ]);
}

/** A drive as QMP's BlockInfo and BlockDeviceInfo have it. */
export function blockInfo(drive: NamedDrive): { readonly info: object; readonly node: object } {
  const { device, nodeName, file, format, sizeBytes, fileBytes, backing, attached } = drive;
  const node = {
    ...{ iops: 0, iops_rd: 0, iops_wr: 0, bps: 0, bps_rd: 0, bps_wr: 0, write_threshold: 0 },
    ...{ detect_zeroes: 'off', ro: false, encrypted: false, drv: format, file, 'node-name': nodeName },
    cache: { 'no-flush': false, direct: false, writeback: true },
    ...(backing.length > 0 ? { backing_file: backing[0] } : {}),
    backing_file_depth: backing.length,
    image: { filename: file, format, 'virtual-size': sizeBytes, 'actual-size': fileBytes, 'dirty-flag': false },
  };
  const info = {
    ...{ device, type: 'unknown', locked: false, removable: !attached },
    ...(attached ? { 'io-status': 'ok', qdev: `/machine/unattached/${device}` } : {}),
    inserted: node,
  };
  return { info, node };
}
