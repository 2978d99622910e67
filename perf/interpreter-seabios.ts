/**
 * Speed of the interpreter on SeaBIOS: records a boot once with a scripted host, then replays it several times in this process with the JIT off
 * (or the mode given). Needs the seabios package, and QEMU for the ratio. Run after `npm run build`:
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

const BIOS = '/usr/share/seabios/bios-256k.bin';
const UNTIL = '6000000';
const mode = (process.argv[2] ?? 'off') as JitMode;
const rounds = Number(process.argv[3] ?? 8);
const dir = mkdtempSync(join(tmpdir(), 'seabios-'));
const log = join(dir, 'boot.rr');
const main = new URL('../src/cli/main.js', import.meta.url).pathname;
const options = ['--bios', BIOS, '--memory', '64M'];
spawnSync(process.execPath, [main, 'record', log, ...options, '--until', UNTIL], { stdio: 'inherit' });

/** Million instructions per second of processor time of one replay, machine construction left out. */
function replay(): number {
  const config = configure({ bios: BIOS, memory: '64M' });
  const source = new LogEventSource(log);
  const session = new ReplaySession(source, { shift: config.shift, noReboot: false, strict: true });
  const machine = new PcMachine(config, session, mode);
  const start = process.cpuUsage();
  const { icount } = session.run(null);
  const { user, system } = process.cpuUsage(start);
  const rate = icount / (user + system);
  source.close();
  machine.close();
  return rate;
}

const rates = Array.from({ length: rounds }, replay);
console.log(`SeaBIOS, --jit ${mode}: ${rates.map((r) => r.toFixed(1)).join(' ')} million instructions/s`);
const sorted = rates.slice(1).toSorted((a, b) => a - b);
console.log(
  `first ${rates[0]!.toFixed(1)}, median of the others ${sorted[sorted.length >> 1]!.toFixed(1)}, best ${sorted.at(-1)!.toFixed(1)}`,
);
rmSync(dir, { recursive: true });
