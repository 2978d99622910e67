import { CheckpointStore } from '../../replay/checkpoints/store.js';
import { UserError } from '../core/errors.js';
import { checkpointsPath, knownPages } from '../machine/checkpoint-files.js';
import { recordingIdentity } from '../machine/recording-identity.js';
import { planSegments, type Segment, type VerifiedRecording } from './segment.js';

/** How a recording is cut, and what is wrong with its store, though the result is the same without it. */
export interface Plan {
  readonly segments: Segment[];
  readonly warnings: string[];
  /** Which sources of the inputs workers need (`KnownPage.source`). */
  readonly knownSources: readonly number[];
}

/** Cuts a recording at the checkpoints beside it. Without a store that can be used the whole recording is one segment. */
export function planVerification({ log, config, inputs, final }: VerifiedRecording): Plan {
  const path = checkpointsPath(log);
  try {
    const store = new CheckpointStore(path, recordingIdentity(log, config, inputs), knownPages(config, inputs));
    const { damages, usable } = store.scrub();
    const knownSources = store.knownSources();
    store.close();
    return { segments: planSegments(usable, final), warnings: damages.map((d) => `${path}: ${d}`), knownSources };
  } catch (e) {
    if (!(e instanceof UserError)) throw e;
    const hint =
      e.code === 'file-not-found'
        ? `${path} is not there; "palindrome checkpoint add" makes it, so that several workers can verify`
        : e.message;
    return { segments: planSegments([], final), warnings: [hint], knownSources: [] };
  }
}
