import { LINUX_BOOT_ROM_BASE64 } from './linux-boot-rom-image.js';

/** The option ROM that starts Linux out of the firmware configuration (linux-boot-rom.asm). Its bytes add up to 0, as firmware demands. */
export function linuxBootRom(): Uint8Array {
  const text = atob(LINUX_BOOT_ROM_BASE64);
  const rom = Uint8Array.from(text, (c) => c.charCodeAt(0));
  rom[rom.length - 1] = -rom.reduce((sum, byte) => sum + byte, 0);
  return rom;
}
