import type { BlockDevice } from '../block/block-device.js';
import { type OpenImage, openImages } from '../block/image-chain.js';
import { MemoryOverlay } from '../block/memory-overlay.js';
import { UserError } from '../core/errors.js';
import type { DriveConfig } from './drive-options.js';

type Slots = [BlockDevice | null, BlockDevice | null, BlockDevice | null, BlockDevice | null];

/** The disks of a machine by IDE position. What the guest writes stays in memory: image files are never changed. */
export class Disks {
  readonly devices: Slots = [null, null, null, null];
  /** What the guest wrote, by the name of the part. */
  readonly parts: Record<string, MemoryOverlay> = {};
  private readonly images: OpenImage[] = [];

  constructor(drives: readonly DriveConfig[], foundAt?: ReadonlyMap<string, string>) {
    for (const drive of drives) {
      const { file, index } = drive;
      if (this.devices[index] !== null) throw new UserError('bad-option', `--drive file=${file}: position ${index} is taken; give index=N`);
      const image = open(drive, foundAt);
      this.images.push(image);
      const overlay = new MemoryOverlay(image.device);
      this.devices[index] = overlay;
      this.parts[`disk${index}`] = overlay;
    }
  }

  close(): void {
    for (const image of this.images) image.close();
  }
}

/** Opens an image and what it stands on; messages name the option. */
function open(drive: DriveConfig, foundAt: ReadonlyMap<string, string> | undefined): OpenImage {
  const chain = [drive, ...(drive.backing ?? [])];
  try {
    return openImages(chain.map(({ file, format }) => ({ file: foundAt?.get(file) ?? file, format })));
  } catch (e) {
    throw e instanceof UserError ? new UserError(e.code, `--drive file=${drive.file}: ${e.message}`) : e;
  }
}
