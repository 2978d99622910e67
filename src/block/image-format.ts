import { UserError } from '../core/errors.js';
import { HostFile } from './host-file.js';

export type ImageFormat = 'raw' | 'qcow2';
export const IMAGE_FORMATS: readonly ImageFormat[] = ['raw', 'qcow2'];

/** "QFI" and 0xfb, the first four bytes of all versions of qcow. */
export const QCOW_MAGIC = 'QFI\xfb';

/** What images of formats that we do not read begin with, or have at a place: name, text, place. */
const OTHERS: readonly (readonly [string, string, number])[] = [
  ['QED', 'QED\0', 0],
  ['VMDK', 'KDMV', 0],
  ['VMDK', 'COWD', 0],
  ['VMDK', '# Disk DescriptorFile', 0],
  ['VDI', '\x7f\x10\xda\xbe', 0x40],
  ['VHDX', 'vhdxfile', 0],
  ['VHD', 'conectix', 0],
  ['Parallels', 'WithoutFreeSpace', 0],
  ['Parallels', 'WithouFreSpacExt', 0],
  ['LUKS', 'LUKS\xba\xbe', 0],
];

/** Format of an image whose format nobody gave: what its first bytes say; raw if they say nothing. Throws UserError for formats that cannot be read. */
export function probeFormat(path: string): ImageFormat {
  const head = Buffer.alloc(128);
  const file = new HostFile(path);
  try {
    if (!file.read(0, head)) throw new UserError('file-io', `${path}: the beginning of the image cannot be read`);
  } finally {
    file.close();
  }
  const text = head.toString('latin1');
  if (text.startsWith(QCOW_MAGIC)) {
    if (head.readUInt32BE(4) >= 2) return 'qcow2';
    throw unsupported(path, 'qcow version 1');
  }
  const other = OTHERS.find(([, magic, place]) => text.startsWith(magic, place));
  if (other !== undefined) throw unsupported(path, other[0]);
  return 'raw';
}

function unsupported(path: string, format: string): UserError {
  return new UserError(
    'not-supported',
    `${path} is an image in the format ${format}, which cannot be read; convert it with qemu-img, or give format=raw if it is no image`,
  );
}
