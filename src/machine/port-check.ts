import { UserError } from '../core/errors.js';
import type { PortMap } from '../memory/ports.js';
import type { MachineConfig } from './config.js';

/** Refuses devices whose ports, which the command line chooses, are somebody else's on the finished board. */
export function refuseTakenPorts(ports: PortMap, config: MachineConfig): void {
  const chosen: [string, number, number][] = (config.debugcon?.ports ?? []).map((port) => ['--debugcon', port, 1]);
  for (const d of config.devices) if (d.name === 'isa-debug-exit') chosen.push([`--device ${d.name}`, d.iobase, d.iosize]);
  for (const [option, first, count] of chosen)
    for (let port = first; port < first + count; port++) {
      const names = ports.claims(port);
      if (names.length < 2) continue;
      const own = option === '--debugcon' ? 'debugcon' : 'isa-debug-exit';
      const other = names.find((name) => name !== own) ?? `another ${own}`;
      const hex = (n: number): string => `0x${n.toString(16)}`;
      throw new UserError('bad-option', `${option},iobase=${hex(first)}: port ${hex(port)} belongs to ${other} already`);
    }
}
