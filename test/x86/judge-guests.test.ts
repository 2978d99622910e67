// Oracle: QEMU run (7.2.22), see test/x86/qemu/README.md: its log of each guest is replayed here, and the bytes the guest writes must be the same.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { NullSink } from '../../replay/event-sink.js';
import { LogEventSource } from '../../replay/log/event-source.js';
import { RecordSession } from '../../replay/record-session.js';
import { ReplaySession } from '../../replay/replay-session.js';
import type { Session } from '../../replay/session.js';
import { configure, type MachineConfig } from '../../src/machine/config.js';
import { PcMachine } from '../../src/machine/pc.js';
import { temporaryFolder } from '../cli.js';
import { record, replay as replayRecording, ScriptedHost } from '../replay/scripted.js';

const folder = temporaryFolder();

function unpack(file: string): string {
  const path = join(folder, file);
  writeFileSync(path, gunzipSync(readFileSync(new URL(`./qemu/${file}.gz`, import.meta.url))));
  return path;
}

type JitMode = 'off' | 'on' | 'force';

function machineConfig(name: string, cpu: string, output: string): MachineConfig {
  return configure({
    machine: 'pc',
    cpu,
    memory: '16M',
    nodefaults: true,
    bios: unpack(`${name}.rom`),
    debugcon: `file:${output},iobase=0xe9`,
    icount: 'shift=7',
    noReboot: true,
  });
}

/** Bytes written to port 0xe9, and how the run ended. */
interface Outcome {
  readonly output: Buffer;
  readonly stop: string;
}

/** More than any of the guests runs. */
const ENOUGH = 3_000_000;

function finish(session: Session, config: MachineConfig, output: string, jit: JitMode): Outcome {
  const machine = new PcMachine(config, session, jit);
  try {
    const { stop } = session.run(ENOUGH);
    machine.flushOutputs();
    return { output: readFileSync(output), stop };
  } finally {
    machine.close();
  }
}

/** Follows QEMU's log: every event must come at its instruction. */
function replay(name: string, cpu: string, jit: JitMode): Outcome {
  const output = join(folder, `${name}.out`);
  const config = machineConfig(name, cpu, output);
  const source = new LogEventSource(unpack(`${name}-${cpu}.rr`));
  try {
    return finish(new ReplaySession(source, { shift: 7, noReboot: true, strict: false }), config, output, jit);
  } finally {
    source.close();
  }
}

/** Runs the guest on its own. */
function run(name: string, cpu: string, jit: JitMode): Outcome {
  const output = join(folder, `${name}.out`);
  const config = machineConfig(name, cpu, output);
  const options = { shift: 7, noReboot: true, asyncFirst: true };
  return finish(new RecordSession(new ScriptedHost([]), new NullSink(), options, () => 0), config, output, jit);
}

function check(name: string, cpu: string, { output, stop }: Outcome): void {
  const expected = gunzipSync(readFileSync(new URL(`./qemu/${name}-${cpu}.output.gz`, import.meta.url)));
  const wrong = expected.findIndex((byte, k) => output[k] !== byte);
  expect({ wrong, bytes: output.length, stop }).toEqual({ wrong: -1, bytes: expected.length, stop: 'reset' });
}

const MODES: readonly JitMode[] = ['off', 'on', 'force'];
const MSR = 'RDMSR and WRMSR of known and unknown registers, MONITOR and MWAIT';
const PAGES = 'every access to every kind of page, SMEP, SMAP, WP and no-execute';
const REPLAYED = [
  ['smm', 'qemu32', 'system management mode: entry, state save area, RSM, relocation, SMI and NMI masking'],
  ['delivery', 'qemu32', 'interrupts and NMIs whose delivery faults, running and halted'],
  ['msr', 'qemu32', MSR],
  ['msr', 'max', MSR],
  ['smap', 'qemu32', PAGES],
  ['smap', 'max', PAGES],
] as const;
const INIT = 'INIT and start-up messages';

describe('system guests replay as QEMU ran them', () => {
  for (const [name, cpu, what] of REPLAYED)
    for (const jit of MODES) it(`${what} (${cpu}, JIT ${jit})`, () => check(name, cpu, replay(name, cpu, jit)));
});

// INIT inside a slice makes QEMU 7.2 count the whole rest of the slice as executed, which its own replay does not: such a log cannot be followed.
describe('system guests that QEMU cannot replay itself write the same', () => {
  for (const cpu of ['qemu32', 'max'])
    for (const jit of MODES) it(`${INIT} (${cpu}, JIT ${jit})`, () => check('init', cpu, run('init', cpu, jit)));
});

describe('our own recordings of system guests replay', () => {
  for (const name of ['smm', 'init', 'delivery'])
    it(`${name}, in every JIT mode`, () => {
      const config = machineConfig(name, 'qemu32', join(folder, 'own.out'));
      const recording = record(join(folder, 'own.rr'), config, '7.2', ENOUGH, []);
      for (const jit of MODES) {
        const { divergence, digest, icount } = replayRecording(recording, { jit });
        expect({ divergence, digest, icount }).toEqual({
          divergence: null,
          digest: recording.final.digest,
          icount: recording.final.icount,
        });
      }
    });
});
