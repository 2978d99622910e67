import { existsSync, realpathSync } from 'node:fs';
import { dirname, isAbsolute, join, relative } from 'node:path';
import { UserError } from '../core/errors.js';
import type { BlockDevice } from './block-device.js';
import { HostFile } from './host-file.js';
import { type ImageFormat, probeFormat } from './image-format.js';
import { Qcow2Image, readHeader } from './qcow2/qcow2-image.js';
import { RawImage } from './raw-image.js';

/** Backing files of backing files: more than anybody has, fewer than a process may open files. */
const MAX_CHAIN = 200;

/** One file of a disk. */
export interface ImageFile {
  readonly file: string;
  readonly format: ImageFormat;
}

/** A disk made of one image or of a chain of images, read-only. */
export interface OpenImage {
  readonly device: BlockDevice;
  close(): void;
}

/**
 * The backing files of an image, nearest first, as the images themselves name them. A name counts from the folder of the image that has it.
 * Throws UserError for a name that leads out of the first image's folder, unless into one of `allowed`: who made an image must not choose what its user reads.
 */
export function backingFiles(image: ImageFile, allowed: readonly string[] = []): ImageFile[] {
  const folders = [dirname(image.file), ...allowed].map((folder) => realPath(folder, folder));
  const chain = [image];
  const seen = new Set([realPath(image.file, image.file)]);
  for (let last = image; ; ) {
    const next = backingFile(last);
    if (next === null) return chain.slice(1);
    const real = realPath(next.file, last.file);
    if (seen.has(real))
      throw new UserError('image-corrupt', `${last.file} has the backing file ${next.file}, whose own backing file it is`);
    if (!folders.some((folder) => isInside(folder, real)))
      throw new UserError(
        'image-corrupt',
        `${last.file} names the backing file ${next.file}, which is outside the folder of ${image.file}; --backing-folder allows another folder`,
      );
    if (chain.length >= MAX_CHAIN) throw new UserError('image-corrupt', `${image.file} stands on more than ${MAX_CHAIN - 1} backing files`);
    seen.add(real);
    last = { file: next.file, format: next.format ?? probeFormat(next.file) };
    chain.push(last);
  }
}

/** Opens the images of a chain, the first on top of the others. Throws UserError naming the file that cannot be used. */
export function openImages(chain: readonly ImageFile[]): OpenImage {
  const opened: { close(): void }[] = [];
  const close = (): void => {
    for (const file of opened) file.close();
  };
  let device: BlockDevice | null = null;
  try {
    for (const { file, format } of chain.toReversed()) {
      if (format === 'raw') {
        const image: RawImage = new RawImage(file);
        opened.push(image);
        device = image;
      } else {
        const host = new HostFile(file);
        opened.push(host);
        device = new Qcow2Image(host, device);
      }
    }
  } catch (e) {
    close();
    throw e;
  }
  return { device: device!, close };
}

/** What an image says of its backing file; null: it has none. */
function backingFile({ file, format }: ImageFile): { file: string; format: ImageFormat | null } | null {
  if (format === 'raw') return null;
  const host = new HostFile(file);
  try {
    const { backingName, backingFormat } = readHeader(host);
    if (backingName === null) return null;
    if (/^[^/]*:/.test(backingName))
      throw new UserError(
        'not-supported',
        `${file} has the backing file "${quoted(backingName)}", which is no plain file name; only those can be read`,
      );
    if (backingFormat !== null && backingFormat !== 'raw' && backingFormat !== 'qcow2')
      throw new UserError('not-supported', `${file} has a backing file of format "${quoted(backingFormat)}"; raw and qcow2 can be read`);
    return { file: isAbsolute(backingName) ? backingName : join(dirname(file), backingName), format: backingFormat };
  } finally {
    host.close();
  }
}

/** @param namedBy for the message */
function realPath(path: string, namedBy: string): string {
  if (!existsSync(path))
    throw new UserError(
      'file-not-found',
      path === namedBy ? `${path} is not there` : `${namedBy} has the backing file ${path}, which is not there`,
    );
  return realpathSync(path);
}

function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '' && !isAbsolute(way) && way !== '..' && !way.startsWith('../');
}

function quoted(text: string): string {
  return text.replace(/[^ -~]/g, '?');
}
