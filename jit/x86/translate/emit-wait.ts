import type { Emit } from './emit.js';

/** Translations are not entered with TF set, for which alone it does anything. */
const pause: Emit = (cx) => cx.jump(cx.nextEip);

/** The clock may be looked at in the middle of a slice: LEFT is what it needs. */
const rdtsc: Emit = (cx) => {
  cx.callExec(false);
  cx.jump(cx.nextEip);
};

/** What loops that wait for time to pass are made of: each ends its TB, though nothing has changed behind it that the engine looks at between TBs. */
export const waitEmitters: Readonly<Record<string, Emit>> = { pause, rdtsc };
