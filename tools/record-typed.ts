/**
 * Records Linux while somebody types on its PS/2 keyboard: waits until the guest has written READY to its serial port, then types TEXT and the return key. The guest
 * should power off. Its serial output goes into LOG.txt. Build first (npm run build).
 *   node dist/tools/record-typed.js LOG KERNEL INITRD APPEND READY TEXT
 */
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { QCODE_NAMES } from '../replay/log/qcodes.js';
import { RunningJob } from '../src/cli/run-in-worker.js';
import { configure } from '../src/machine/config.js';
import { describeInputs } from '../src/machine/input-paths.js';
import { recordingEnd, writeSidecar } from '../src/machine/sidecar.js';

/** The controller keeps 16 bytes, which five keys fill: meanwhile even a busy host lets the guest take them. */
const KEY_MS = 60;
const NAMES: Readonly<Record<string, string>> = { ' ': 'spc', '\n': 'ret', '-': 'minus', '.': 'dot', '/': 'slash' };

const [log, kernel, initrd, append, ready, text] = process.argv.slice(2) as [string, string, string, string, string, string];
const serial = `${log}.txt`;
const config = configure({
  bios: '/usr/share/seabios/bios-256k.bin',
  memory: '256M',
  kernel,
  initrd,
  append,
  icount: 'shift=3',
  noReboot: true,
  serial: [`file:${serial}`],
});

/** Presses and releases the key of a character, with shift for capitals. */
function type(running: RunningJob, character: string): void {
  const lower = character.toLowerCase();
  const keys = [...(lower === character ? [] : ['shift']), NAMES[lower] ?? lower].map((name) => QCODE_NAMES.indexOf(name));
  for (const [order, down] of [[keys, true] as const, [keys.toReversed(), false] as const])
    for (const qcode of order) {
      running.send({ kind: 'input', event: { kind: 'key', qcode, down } });
      running.send({ kind: 'input-sync' });
    }
}

const sidecar = { machine: config, inputs: describeInputs(config, log), logFormat: '5.2' } as const;
const running = new RunningJob({
  ...{ kind: 'record', config, log, logFormat: '5.2', sidecar, until: null, jit: 'on' },
  ...{ screenshot: false, strict: true, final: null },
});
let over = false;
const ended = running.result.finally(() => {
  over = true;
});
while (!over && !(existsSync(serial) && readFileSync(serial, 'latin1').includes(ready))) await sleep(100);
for (const character of over ? '' : `${text}\n`) {
  type(running, character);
  await sleep(KEY_MS);
}
const result = await ended;
writeSidecar(log, { ...sidecar, final: recordingEnd(log, result) });
console.log(JSON.stringify({ icount: result.icount, digest: result.digest, shutdownCause: result.shutdownCause }));
