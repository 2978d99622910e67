import { needs } from './needs.js';

/** v86's BIOS is a build of SeaBIOS; the one of the seabios package works as well, and its npm package has none. */
export const V86_BIOS = '/usr/share/seabios/bios.bin';
export const V86_VGA_BIOS = '/usr/share/seabios/vgabios-stdvga.bin';

/** Path of the program that runs a guest on v86, after looking for its firmware. */
export function v86Program(): string {
  for (const file of [V86_BIOS, V86_VGA_BIOS]) needs(file, 'seabios');
  return new URL('./v86-guest.js', import.meta.url).pathname;
}
