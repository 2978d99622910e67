import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import type { HostEnvironment, HostRequest } from '../../replay/host.js';
import type { LogFormat } from '../../replay/log/tables.js';
import { createLog } from '../../replay/log/writer.js';
import { RecordSession } from '../../replay/record-session.js';
import { GUEST_IMAGE_BASE64 } from '../../src/cli/demo/guest-image.js';
import { digestMachine } from '../../src/core/digest.js';
import { configure, type MachineArguments, type MachineConfig } from '../../src/machine/config.js';
import { ControlBlock, type Job, type JobResult, type RecordingEnd } from '../../src/machine/job.js';
import { PcMachine } from '../../src/machine/pc.js';
import { runJob } from '../../src/machine/run-job.js';
import { recordingEnd } from '../../src/machine/sidecar.js';

/** A host whose clocks move a little at every look and by the whole wait when asked to sleep; requests come at given instruction counts. */
export class ScriptedHost implements HostEnvironment {
  private ns = 0;
  private readonly requests: (readonly [number, HostRequest])[];

  constructor(requests: readonly (readonly [number, HostRequest])[]) {
    this.requests = [...requests];
  }
  wallNs(): bigint {
    this.ns += 1000;
    return 1_800_000_000_000_000_000n + BigInt(this.ns);
  }
  monotonicNs(): number {
    this.ns += 500;
    return this.ns;
  }
  random(lengthBytes: number): Uint8Array {
    return new Uint8Array(lengthBytes).fill(0x5a);
  }
  poll(icount: number): HostRequest[] {
    const due: HostRequest[] = [];
    while (this.requests.length > 0 && this.requests[0]![0] <= icount) due.push(this.requests.shift()![1]);
    return due;
  }
  wait(ns: number | null): void {
    if (ns === null) throw new Error('the guest waits for ever');
    this.ns += Math.ceil(ns);
  }
}

/** Keys and characters for the demo guest, early in its run. */
export const TYPED: readonly (readonly [number, HostRequest])[] = [
  [700_000, { kind: 'input', event: { kind: 'key', qcode: 36, down: true } }],
  [700_000, { kind: 'input-sync' }],
  [800_000, { kind: 'chars', device: 0, bytes: Uint8Array.of(0x68, 0x69) }],
  [900_000, { kind: 'input', event: { kind: 'key', qcode: 36, down: false } }],
  [900_000, { kind: 'input-sync' }],
];

/** Options of a machine for the demo guest. */
export function demoGuest(folder: string, more: MachineArguments = {}): MachineConfig {
  const kernel = join(folder, 'guest.bin');
  writeFileSync(kernel, Buffer.from(GUEST_IMAGE_BASE64, 'base64'));
  return configure({
    kernel,
    memory: '8M',
    nodefaults: true,
    serial: ['null'],
    device: ['isa-debug-exit,iobase=0xf4,iosize=1'],
    ...more,
  });
}

export interface Recording {
  readonly log: string;
  readonly config: MachineConfig;
  readonly format: LogFormat;
  readonly final: RecordingEnd;
}

/**
 * Records a machine with a scripted host; the same script gives the same bytes.
 * @param onTurn called between slices
 */
export function record(
  log: string,
  config: MachineConfig,
  format: LogFormat,
  until: number,
  requests = TYPED,
  onTurn: (machine: PcMachine, session: RecordSession) => void = () => {},
): Recording {
  const writer = createLog(log, format);
  let machine: PcMachine | null = null;
  const onProgress = (): void => onTurn(machine!, session);
  const options = { shift: config.shift, noReboot: config.noReboot, asyncFirst: format === '7.2', onProgress };
  const session: RecordSession = new RecordSession(
    new ScriptedHost(requests),
    writer,
    options,
    (device) => machine?.canReceive(device) ?? 0,
  );
  machine = new PcMachine(config, session, 'off');
  const { icount } = session.run(until);
  writer.finish(icount);
  writer.close();
  const digest = digestMachine(machine.parts, machine.memory.u8).total;
  machine.close();
  return { log, config, format, final: recordingEnd(log, { icount, events: writer.events, digest }) };
}

/** Replays a log as the command line does, in this thread. */
export function replay(recording: Recording, job: Partial<Job> = {}): JobResult {
  const { port1, port2 } = new MessageChannel();
  try {
    return runJob(
      {
        kind: 'replay',
        config: recording.config,
        log: recording.log,
        logFormat: recording.format,
        until: null,
        jit: 'off',
        screenshot: false,
        strict: true,
        final: recording.final,
        control: new SharedArrayBuffer(ControlBlock.BYTES),
        ...job,
      },
      port1,
    );
  } finally {
    port1.close();
    port2.close();
  }
}
