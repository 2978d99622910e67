import type { CharTarget, MachineConfig } from '../machine/config.js';

/** With --json stdout belongs to the summary: what the guest writes to the terminal goes to stderr. */
export function terminalTargets(config: MachineConfig, json: boolean): MachineConfig {
  if (!json) return config;
  const move = (t: CharTarget): CharTarget => (t.kind === 'stdio' ? { kind: 'stderr' } : t);
  const { serial, debugcon } = config;
  return { ...config, serial: serial.map(move), debugcon: debugcon === null ? null : { ...debugcon, target: move(debugcon.target) } };
}

/** Nothing of what the guest writes reaches the terminal. */
export function silentTargets(config: MachineConfig): MachineConfig {
  const quiet = (t: CharTarget): CharTarget => (t.kind === 'stdio' ? { kind: 'null' } : t);
  const { serial, debugcon } = config;
  return { ...config, serial: serial.map(quiet), debugcon: debugcon === null ? null : { ...debugcon, target: quiet(debugcon.target) } };
}
