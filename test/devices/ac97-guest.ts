import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { MachineArguments } from '../../src/machine/config.js';
import { QEMU_PC, writeRom } from '../machines.js';
import { PATIENCE_MS } from '../tools.js';

/** ac97.asm assembled (nasm -f bin), by gzip. */
const CODE =
  'H4sIAAAAAAACA+1VzW8bRRR/s961122atas0MSTGThqpEa0qG4UvpakSJaZQQdWmtDKVCuFiBQkuro24RFrLEWITNargwIFLrCAuBCniQJ11P/xR7KoXJ4iDRVQ1+OBuaG0HKShpAl3e23US+BOQmJE97zfv+83M263jEmv1geRNNzGpKx367QRIIMI1aAxdx7+viub6RRHawIUCug2AQSjpgOnSdHp68QbIALdpr2Bz8iIUTvEwLUG8IMZ0mTEIawUhiOs9iwgSc7+EJm518RJI11snX+Nq8bwl9nQIcbiWHBVBTu3HoX2JHhfwJ8cyGBEod0PqZlM9pP7ZVO3/VD7UHX14ddCRgjSA9iGKXR1sScEdBO8ZgE8JuGojYARmgeSrPoAP0h+dyQ8KRH4bw4zsEH58E6wY6ThAZJ/2NkrHf/Q+WrtFKgsgM/Avf8dyS7nyE6WkHUT2PFTW13cjUUr13LkFHvcrqxlNLD95Jzci+Y8KVMBLuViWogvVcwXBcY1qqesFwbVLeXep3ka9C8IrDUr6IfDMrA/BggWRuv8Oea7NY62yjvIf/p+0GVQMTQUc6vOU5ucm4tVjhCZMZFVfIPSxiUS1l9CYifapHKFLJmpSXYTeNFGz2kHoJCL/svIg81CMFQA4UH7JlJ2YE5XGixJT0Q6lbcoa39SjAtJI5XnlFE+nngUHQPnXofi2JXxT8s9SPfzLIWn2cuuVbrLDowjmpJQyK6JAxuvxrDAZaMP8rJMBV83QLG7L489ChK1vad881fW+AFx5cWkFl7Ar3m/ULCqZxWMU8CLsORG044gMK7VHyX8VkSq4maBCa4NoNRnAsfoyUo24eBSrKvl4lq8qhb7e+3R0UXvfifstSET6FXNHMbFSOgDw+pC28ZeuawyNaFWklDWtQsum9gAX1UcWtZ+R3MhTrJGeeD+dLUQ8+gEiGp6tKBdKduCNOf2YC7R1e2o56fqFg3gkLbEteoGR+kaWnpo0kUBjsTI9SrOQtdyoblyeJJwbeUMbo3DC9PfuXgDnkTQrYTiqVlZNZ1SQ3+e9lZmK9/3iWSS8yZELZ89rh1E+WPSCsxO8ncB3ApsBZwJ6EsAlgHXCdgI2lvC1/z/+u0NeWhPlFE0AURQ/sxudnrO4sT0M2ySQv75tG56jCR4RJRp8juE9Cjb4Ax6aZG2HbxGc/9Dvuug8Kqc4xluIjx1q3GY/xPb4o6hDLRn9Ix87kcf2nButjSEfmo/YdH0Ugu3El5Dfjvcf+aj/Cemfviz0QA+Y3k37w3M23r1jH/m+qPeM44jJN7NGPvbsiYZ9+STNnfjbZQ6sdtI38vu+0gzjw3NdF3fsU342u/suM+zTWGEgaxaQF/GrOIAlpZ4e5CB9g4MBLEOaMLJkalJvMZOPXzSZvmpErzN60+ZxHGPm3t9eCft6mAcAAA==';
const TABLE = 0x600;
const ROW_BYTES = 32;

/** Experiments of ac97.asm, by their number. */
export const POLLING = [0, 1, 2, 3, 4, 5, 6, 7, 8];
/** The voices are closed by a rate that is too low: what a WAV file had until then is gone. */
export const CLOSING = 6;
/** Sleeps between interrupts. */
export const SLEEPING = 9;

/** Writes a ROM that does these experiments in turn; gives its path. */
export function ac97Rom(folder: string, experiments: readonly number[]): string {
  const code = gunzipSync(Buffer.from(CODE, 'base64'));
  const rows = experiments.map((n) => Buffer.from(code.subarray(TABLE + n * ROW_BYTES, TABLE + (n + 1) * ROW_BYTES)));
  Buffer.concat([...rows, Buffer.alloc(4)]).copy(code, TABLE);
  return writeRom(join(folder, `ac97-${experiments.join('-')}.rom`), code.toString('base64'));
}

const CARD = 'AC97,audiodev=a';
const EXIT = 'isa-debug-exit,iobase=0xf4,iosize=1';

/** The machine of the guest. @param trace the file that port 0xe9 writes */
export function ac97Machine(bios: string, trace: string, shift: number, audiodev: string): MachineArguments {
  return {
    ...{ cpu: 'qemu32,-apic', memory: '4M', nodefaults: true, noReboot: true, bios, icount: `shift=${shift}` },
    ...{ debugcon: `file:${trace},iobase=0xe9`, audiodev: [audiodev], device: [CARD, EXIT] },
  };
}

/** Runs QEMU to the guest's end. */
export function runQemu(bios: string, trace: string, icount: string, audiodev: string): void {
  const machine = ['-cpu', 'qemu32,-apic', '-m', '4', '-nodefaults', '-no-reboot', '-bios', bios, '-debugcon', `file:${trace}`];
  const sound = ['-audiodev', audiodev, '-device', CARD, '-device', EXIT, '-icount', icount];
  try {
    execFileSync('qemu-system-i386', [...QEMU_PC, ...machine, ...sound], { stdio: 'ignore', timeout: PATIENCE_MS });
  } catch (error) {
    // isa-debug-exit ends with an odd status.
    if ((error as { status?: number }).status !== 1) throw error;
  }
}

/** One second of stereo noise at 44100 frames per second. */
export function noise(): Buffer {
  const data = Buffer.alloc(4 * 44_100);
  for (let i = 0, x = 1; i < data.length; i++) {
    x = (Math.imul(x, 1_103_515_245) + 12_345) >>> 0;
    data[i] = x >>> 24;
  }
  const header = Buffer.from('524946460000000057415645666d7420100000000100020044ac000010b10200040010006461746100000000', 'hex');
  header.writeUInt32LE(data.length + 36, 4);
  header.writeUInt32LE(data.length, 40);
  return Buffer.concat([header, data]);
}
