import type { CharTarget, MachineConfig } from '../machine/config.js';

/** With --json stdout belongs to the summary: what the guest writes to the terminal goes to stderr. */
export function terminalTargets(config: MachineConfig, json: boolean): MachineConfig {
  if (!json) return config;
  const move = (t: CharTarget): CharTarget => (t.kind === 'stdio' ? { kind: 'stderr' } : t);
  const { serial, debugcon } = config;
  return { ...config, serial: serial.map(move), debugcon: debugcon === null ? null : { ...debugcon, target: move(debugcon.target) } };
}
