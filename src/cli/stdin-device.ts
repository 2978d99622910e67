import type { MachineConfig } from '../machine/config.js';

/** The character device that the terminal's keyboard feeds: the first serial port on stdio; null when there is none. */
export function stdinDevice(config: MachineConfig): number | null {
  const at = config.serial.findIndex((s) => s.kind === 'stdio');
  return at < 0 ? null : at;
}
