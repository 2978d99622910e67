import type { JobResult, WorkerStart } from '../machine/job.js';
import type { ProfileData } from './profile-data.js';

/** What is to be profiled, besides the replay itself. */
export interface ProfileOptions {
  /** File with the kernel's symbols; null: functions are named by their addresses. */
  readonly symbols: string | null;
  /** TBs and loops to keep. */
  readonly top: number;
}

/** What the worker of a profile needs to start. */
export interface ProfileStart extends WorkerStart {
  readonly profile: ProfileOptions;
}

export interface ProfiledResult extends JobResult {
  /** Absent: the replay ended before there was a machine. */
  readonly profile?: ProfileData;
}
