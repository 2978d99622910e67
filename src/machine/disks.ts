import type { BlockDevice } from '../block/block-device.js';
import { MemoryOverlay } from '../block/memory-overlay.js';
import { RawImage } from '../block/raw-image.js';
import { UserError } from '../core/errors.js';
import type { StatefulPart } from '../core/state.js';
import type { DriveConfig } from './config.js';

type Slots = [BlockDevice | null, BlockDevice | null, BlockDevice | null, BlockDevice | null];

/** The disks of a machine by IDE position. What the guest writes stays in memory: image files are never changed. */
export class Disks {
  readonly devices: Slots = [null, null, null, null];
  readonly parts: Record<string, StatefulPart> = {};
  private readonly images: RawImage[] = [];

  constructor(drives: readonly DriveConfig[], foundAt?: ReadonlyMap<string, string>) {
    for (const { file, index } of drives) {
      if (this.devices[index] !== null) throw new UserError('bad-option', `--drive file=${file}: position ${index} is taken; give index=N`);
      const image = open(foundAt?.get(file) ?? file);
      this.images.push(image);
      const overlay = new MemoryOverlay(image);
      this.devices[index] = overlay;
      this.parts[`disk${index}`] = overlay;
    }
  }

  close(): void {
    for (const image of this.images) image.close();
  }
}

/** Opens an image; messages name the option. */
function open(file: string): RawImage {
  try {
    return new RawImage(file);
  } catch (e) {
    throw e instanceof UserError ? new UserError(e.code, `--drive file=${file}: ${e.message}`) : e;
  }
}
