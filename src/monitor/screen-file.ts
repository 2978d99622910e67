import { writeFileSync } from 'node:fs';
import { PNG } from 'pngjs';
import { type MachineControl, ReportedError } from './machine-control.js';

/** Writes the picture on the display into a file. Throws ReportedError, with QEMU's words. */
export async function writeScreen(
  control: MachineControl,
  path: string,
  { format, device }: { readonly format: string | null; readonly device: string | null },
): Promise<void> {
  if (format !== null && format !== 'png' && format !== 'ppm') throw new ReportedError(`invalid parameter value: ${format}`);
  if (device !== null) throw new ReportedError(`Device '${device}' not found`);
  const screen = await control.machine.call('screen', {});
  if (screen === null) throw new ReportedError('There is no console to take a screendump from.');
  const { width, height, rgba } = screen;
  const png = (format ?? (path.endsWith('.png') ? 'png' : 'ppm')) === 'png';
  try {
    writeFileSync(path, png ? encodePng(width, height, rgba) : encodePpm(width, height, rgba));
  } catch (e) {
    throw new ReportedError(`failed to open file '${path}': ${systemWords(e)}`);
  }
}

function encodePng(width: number, height: number, rgba: Uint8Array): Buffer {
  const png = new PNG({ width, height });
  png.data = Buffer.from(rgba);
  return PNG.sync.write(png);
}

function encodePpm(width: number, height: number, rgba: Uint8Array): Buffer {
  const rgb = Buffer.alloc(width * height * 3);
  for (let k = 0; k < width * height; k++) rgb.set(rgba.subarray(4 * k, 4 * k + 3), 3 * k);
  return Buffer.concat([Buffer.from(`P6\n${width} ${height}\n255\n`), rgb]);
}

/** `ENOENT: no such file or directory, open ...` as C's library says it. */
function systemWords(e: unknown): string {
  const words = /^[A-Z]+: ([^,]+)/.exec((e as Error).message)?.[1] ?? (e as Error).message;
  return words.charAt(0).toUpperCase() + words.slice(1);
}
