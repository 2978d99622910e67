// Oracle: self-consistency (a machine that is not the recorded one is found out).
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { LogEventSource } from '../../replay/log/event-source.js';
import { ReplaySession } from '../../replay/replay-session.js';
import { GUEST_IMAGE_BASE64 } from '../../src/cli/demo/guest-image.js';
import { digestMachine } from '../../src/core/digest.js';
import { DivergenceError } from '../../src/core/errors.js';
import { PcMachine } from '../../src/machine/pc.js';
import { temporaryFolder } from '../cli.js';
import { demoGuest, record } from './scripted.js';

const folder = temporaryFolder();
const config = demoGuest(folder);
const recording = record(join(folder, 'a.rr'), config, '5.2', 3_500_000);

/** Replays, flipping one bit of guest memory at an instruction; gives the divergence, or the digest at the end. */
function replayWithFlip(icount: number, paddr: number, bit: number): DivergenceError | string {
  const source = new LogEventSource(recording.log);
  const session = new ReplaySession(source, { shift: config.shift, noReboot: false, strict: true });
  const machine = new PcMachine(config, session, 'off');
  try {
    session.run(icount);
    machine.memory.write(paddr, machine.memory.read(paddr, 1) ^ (1 << bit), 1);
    session.run(null);
    return digestMachine(machine.parts, machine.memory.u8).total;
  } catch (e) {
    if (e instanceof DivergenceError) return e;
    throw e;
  } finally {
    source.close();
    machine.close();
  }
}

it('a bit flipped in the running code is reported with the instruction where the log is left', () => {
  // The low byte of the loop count in work_integer's `mov ecx, 20000`, found in the image by its bytes.
  const image = Buffer.from(GUEST_IMAGE_BASE64, 'base64');
  const at = image.indexOf(Buffer.of(0xb9, 0x20, 0x4e, 0, 0));
  expect(at).toBeGreaterThan(0);
  const outcome = replayWithFlip(900_000, 0x100000 + at + 2, 0);
  expect(outcome).toBeInstanceOf(DivergenceError);
  expect((outcome as DivergenceError).icount).toBeGreaterThanOrEqual(900_000);
});

it('a bit flipped in data that only the digest sees still gives another digest', () => {
  const outcome = replayWithFlip(900_000, 0x700000, 3);
  expect(outcome).not.toBe(recording.final.digest);
});

it('nothing flipped gives the recorded digest', () => {
  const source = new LogEventSource(recording.log);
  const session = new ReplaySession(source, { shift: config.shift, noReboot: false, strict: true });
  const machine = new PcMachine(config, session, 'off');
  for (const stop of [10, 500_000, 900_000]) session.run(stop);
  session.run(null);
  expect(digestMachine(machine.parts, machine.memory.u8).total).toBe(recording.final.digest);
  source.close();
  machine.close();
});
