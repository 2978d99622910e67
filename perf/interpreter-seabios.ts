/**
 * Speed of the interpreter on SeaBIOS: records a firmware that boots over and over (it finds no disk and tries again), then replays the recording in this process
 * with the JIT off (or the mode given). One replay is long enough to leave V8's warm-up behind; the first million instructions are shown apart.
 * Needs the seabios package. Run after `npm run build`:
 *   node dist/perf/interpreter-seabios.js [off|on|force] [rounds]
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LogEventSource } from '../replay/log/event-source.js';
import { ReplaySession } from '../replay/replay-session.js';
import { configure } from '../src/machine/config.js';
import type { JitMode } from '../src/machine/job.js';
import { PcMachine } from '../src/machine/pc.js';
import { builtProgram, needs } from './needs.js';

const BIOS = '/usr/share/seabios/bios-256k.bin';
const COLD = 1_000_000;
const UNTIL = 40_000_000;
const machineOptions = { bios: BIOS, memory: '64M', boot: 'reboot-timeout=1' };
const mode = (process.argv[2] ?? 'off') as JitMode;
const rounds = Number(process.argv[3] ?? 5);

const main = builtProgram('interpreter-seabios');
needs(BIOS, 'seabios');
const dir = mkdtempSync(join(tmpdir(), 'seabios-'));
const log = join(dir, 'boot.rr');
const flags = Object.entries(machineOptions).flatMap(([name, value]) => [`--${name}`, value]);
const { status } = spawnSync(main, ['record', log, ...flags, '--until', String(UNTIL)], { stdio: 'inherit' });
if (status !== 0) process.exit(1);

/** Million instructions per second of one replay: at first, and then. Building the machine is left out. */
function replay(): [cold: number, warm: number] {
  const config = configure(machineOptions);
  const source = new LogEventSource(log);
  const session = new ReplaySession(source, { shift: config.shift, noReboot: false, strict: true });
  const machine = new PcMachine(config, session, mode);
  const start = performance.now();
  const first = session.run(COLD).icount;
  const middle = performance.now();
  const { icount } = session.run(null);
  const end = performance.now();
  source.close();
  machine.close();
  return [first / (middle - start) / 1000, (icount - first) / (end - middle) / 1000];
}

const rates: number[] = [];
for (let round = 1; round <= rounds; round++) {
  const [cold, warm] = replay();
  rates.push(warm);
  console.log(`round ${round}: first million ${cold.toFixed(1)}, then ${warm.toFixed(1)} million instructions/s`);
}
console.log(`SeaBIOS, --jit ${mode}: median ${rates.toSorted((a, b) => a - b)[rounds >> 1]!.toFixed(1)} million instructions/s`);
rmSync(dir, { recursive: true });
