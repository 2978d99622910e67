// Oracle: self-consistency (divergences that are planted, of which it is known where they begin)
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { CC_LOGIC, CC_SUB } from '../../jit/x86/flags.js';
import { TbContext } from '../../jit/x86/translate/tb-context.js';
import { contentHash } from '../../replay/checkpoints/content-hash.js';
import { CheckpointStore, type StoredCheckpoint } from '../../replay/checkpoints/store.js';
import { LogEventSource } from '../../replay/log/event-source.js';
import { MEMORY_SPACE } from '../../src/machine/capture-checkpoint.js';
import { checkpointsPath, knownPages } from '../../src/machine/checkpoint-files.js';
import { recordingIdentity } from '../../src/machine/recording-identity.js';
import { PortMap } from '../../src/memory/ports.js';
import { type Diagnosis, diagnose } from '../../src/verify/diagnose.js';
import { SegmentExecutor } from '../../src/verify/executor.js';
import { planSegments, type Segment, type SegmentOutcome, type VerifiedRecording } from '../../src/verify/segment.js';
import { temporaryFolder } from '../cli.js';
import { addCheckpoints } from './checkpoints.js';
import { demoGuest, type Recording, record } from './scripted.js';

const END = 1_500_000;
const EVERY = 200_000;
const folder = temporaryFolder();

function storeOf({ log, config }: Recording): CheckpointStore {
  return new CheckpointStore(checkpointsPath(log), recordingIdentity(log, config, []), knownPages(config, []));
}

/** Verifies segment by segment; what is wrong with the first that is. */
function findWrong(
  recording: Recording,
  jit: 'off' | 'on' | 'force',
): { segment: Segment; outcome: SegmentOutcome; diagnosis: Diagnosis } | null {
  const { log, config, format, final } = recording;
  const verified: VerifiedRecording = { log, config, inputs: [], logFormat: format, strict: true, jit, final };
  const store = storeOf(recording);
  const segments = planSegments(store.scrub().usable, final);
  store.close();
  const executor = new SegmentExecutor(verified, () => {});
  try {
    for (const segment of segments) {
      const outcome = executor.run(segment, 0);
      if (outcome.differences.length > 0 || outcome.divergence !== null || outcome.logChanged) {
        executor.close();
        return { segment, outcome, diagnosis: diagnose(verified, segment, outcome) };
      }
    }
    return null;
  } finally {
    executor.close();
  }
}

function fresh(name: string): Recording {
  return record(join(folder, `${name}.rr`), demoGuest(folder), '5.2', END);
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('a recording that nothing happened to', () => {
  let plain: Recording;
  beforeAll(() => {
    plain = fresh('plain');
    addCheckpoints(plain, EVERY, END);
  });

  it.each(['off', 'force'] as const)('is verified, segment by segment (translation %s)', (jit) => {
    expect(findWrong(plain, jit)).toBeNull();
  });

  it('is compared at its end, too', () => {
    const wrong = findWrong({ ...plain, final: { ...plain.final, digest: '0'.repeat(32) } }, 'off');
    expect(wrong?.segment.to).toBeNull();
    expect(wrong?.outcome.differences).toEqual([
      expect.objectContaining({ what: 'digest', recorded: '0'.repeat(32), found: plain.final.digest }),
    ]);
  });
});

describe('a divergence is named', () => {
  it('when a bit of a checkpoint was flipped: page, both values, and that the checkpoint is wrong', () => {
    const recording = fresh('flipped');
    let page = -1;
    addCheckpoints(recording, EVERY, END, ({ icount }, units) => {
      if (icount !== 3 * EVERY) return;
      const [, number, bytes] = units.find(([space]) => space === MEMORY_SPACE)!;
      page = number;
      bytes[0x123]! ^= 0x40;
    });
    const { segment, outcome, diagnosis } = findWrong(recording, 'off')!;
    expect(segment.toIcount).toBe(3 * EVERY);
    expect(outcome.differences).toHaveLength(1);
    const { where, what, recorded, found } = outcome.differences[0]!;
    expect([where.split(' (')[0], what]).toEqual([`page ${page}`, 'from byte 0x123 on']);
    expect(Number.parseInt(recorded.slice(0, 2), 16) ^ Number.parseInt(found.slice(0, 2), 16)).toBe(0x40);
    // The page was put back from the next checkpoint on, if it was written again; else that one is wrong in the same way.
    expect(['checkpoint', 'recording']).toContain(diagnosis.cause);
  });

  it('when a part of a checkpoint was changed: the field, both values', () => {
    const recording = fresh('part');
    addCheckpoints(recording, EVERY, END, (input) => {
      if (input.icount !== 2 * EVERY) return;
      const cpu = input.items.cpu!;
      cpu[8]! ^= 1;
    });
    const { segment, outcome, diagnosis } = findWrong(recording, 'off')!;
    expect(segment.toIcount).toBe(2 * EVERY);
    expect(outcome.differences.map(({ where, what }) => `${where} ${what}`)).toEqual(['cpu r']);
    expect(diagnosis.cause).toBe('checkpoint');
  });

  it('when an event of the log was changed: the segment, and the instruction where the log is left', () => {
    const recording = fresh('event');
    addCheckpoints(recording, EVERY, END);
    const bytes = readFileSync(recording.log);
    const store = storeOf(recording);
    const after = store.checkpoints.findLast((c) => c.position.offset < bytes.length - 40)!;
    store.close();
    // The id of an event behind a checkpoint becomes another one's.
    const at = eventBehind(recording, after);
    bytes[at] = bytes[at] === 1 ? 2 : 1;
    writeFileSync(recording.log, bytes);
    const { segment, outcome, diagnosis } = findWrong(recording, 'off')!;
    expect(outcome.divergence !== null || outcome.logChanged || outcome.differences.length > 0).toBe(true);
    expect(segment.fromIcount).toBeGreaterThanOrEqual(after.icount);
    expect(['log', 'recording']).toContain(diagnosis.cause);
  });

  it('when a device reads the time of the host: the instruction and its TB', () => {
    const recording = fresh('host-time');
    addCheckpoints(recording, EVERY, END);
    const original = PortMap.prototype.read;
    let now = 0;
    // The host's clock, behind Clock's back.
    vi.spyOn(PortMap.prototype, 'read').mockImplementation(function (this: PortMap, port, size) {
      return original.call(this, port, size) ^ (port === 0x71 ? ++now & 7 : 0);
    });
    const { diagnosis } = findWrong(recording, 'off')!;
    expect(diagnosis.cause).toBe('nondeterminism');
    expect(diagnosis.tb!.lines[diagnosis.tb!.index]).toContain('in al,71h');
    expect(diagnosis.differences.length).toBeGreaterThan(0);
  });

  it('when an emitter gets a flag wrong: the TB', () => {
    const recording = fresh('flag');
    addCheckpoints(recording, EVERY, END);
    const original = TbContext.prototype.setFlags;
    vi.spyOn(TbContext.prototype, 'setFlags').mockImplementation(function (this: TbContext, cc, ...rest) {
      original.call(this, cc === CC_SUB ? CC_LOGIC : cc, ...rest);
    });
    const { diagnosis } = findWrong(recording, 'force')!;
    expect(diagnosis.cause).toBe('translation');
    expect(diagnosis.tb!.lines.join('\n')).toMatch(/ (cmp|sub|neg|dec) /);
  });
});

/** File offset of the first INTERRUPT or EXCEPTION behind a checkpoint. */
function eventBehind({ log, format }: Recording, checkpoint: StoredCheckpoint): number {
  const source = new LogEventSource(log, format);
  source.seek(checkpoint.position);
  while (source.current.kind !== 'interrupt' && source.current.kind !== 'exception' && source.current.kind !== 'cut') source.advance();
  const { offset } = source.position;
  const bytes = readFileSync(log);
  source.close();
  return bytes[offset] === 0 ? offset + 5 : offset;
}

it('hashes contents with BLAKE2b', () => {
  expect(contentHash('blake2b512')(new Uint8Array(0))).toBe('786a02f742015903c6c6fd852552d272');
  // RFC 7693, appendix A.
  expect(contentHash('blake2b512')(Buffer.from('abc'))).toBe('ba80a53f981c4d0d6a2797b69f12f6e9');
});
