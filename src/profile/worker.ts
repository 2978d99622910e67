import { Profiler } from '../../jit/x86/profile/profiler.js';
import { runJob } from '../machine/run-job.js';
import { serveJob } from '../machine/serve-job.js';
import { buildProfile } from './build-profile.js';
import type { ProfileStart } from './profile-job.js';
import { readSymbols } from './read-symbols.js';

/** Entry point of the thread that replays a recording under a profiler. */
serveJob<ProfileStart>(({ job, requests, profile: { symbols: path, top } }) => {
  const symbols = path === null ? null : readSymbols(path);
  let profiler: Profiler | null = null;
  const result = runJob(job, requests, {
    observer: (cpu) => {
      profiler = new Profiler(cpu, symbols);
      return profiler;
    },
  });
  return profiler === null ? result : { ...result, profile: buildProfile(profiler, symbols, top) };
});
