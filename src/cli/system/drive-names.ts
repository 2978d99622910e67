import { parseKeyValues } from '../../machine/keyval.js';
import type { DriveNames } from '../../monitor/drive-text.js';

/** What `-drive` options call the drives, by their files. A filter's name stands for what is below it. */
export function driveNames(texts: readonly string[]): ReadonlyMap<string, DriveNames> {
  const names = new Map<string, DriveNames>();
  const files = new Map<string, string>();
  let unnamed = 0;
  for (const text of texts) {
    const { file, id, image, if: place, 'node-name': node = null } = parseKeyValues('-drive', text, 'file');
    const below = file ?? files.get(image ?? '');
    if (below === undefined) continue;
    const device = id ?? (place === 'none' ? `none${unnamed++}` : null);
    if (device !== null) files.set(device, below);
    names.set(below, { device, node: node ?? names.get(below)?.node ?? null });
  }
  return names;
}
