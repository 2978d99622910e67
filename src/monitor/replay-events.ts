import { setImmediate } from 'node:timers/promises';
import { decodeEvent } from '../../replay/log/events.js';
import { openLog } from '../../replay/log/reader.js';
import { eventLine, isExternal } from '../../replay/log/text.js';

/** Most events that are shown at once. */
export const MAX_EVENTS = 200;
/** Events shown before an instruction, and behind it. */
const BEFORE = 10;
const BEHIND = 10;
/** Others get their turn after so many events. */
const AT_A_TIME = 50_000;

/** Lines of the last events before an instruction, and of the first at it or behind. @param outside only what came from outside the machine. Throws UserError. */
export async function eventsAround(log: string, icount: number, outside: boolean): Promise<string[]> {
  const before: string[] = [];
  const behind: string[] = [];
  await scan(log, outside, (at, line) => {
    if (at < icount) {
      before.push(line());
      if (before.length > BEFORE) before.shift();
    } else behind.push(line());
    return behind.length < BEHIND;
  });
  return [...before, ...behind];
}

/** Lines of the events from an instruction to another, both included, at most MAX_EVENTS of them. Throws UserError. */
export async function eventsBetween(log: string, from: number, to: number, outside: boolean): Promise<string[]> {
  const found: string[] = [];
  let more = false;
  await scan(log, outside, (at, line) => {
    if (at < from) return true;
    if (at > to) return false;
    more = found.length === MAX_EVENTS;
    if (!more) found.push(line());
    return !more;
  });
  return more ? [...found, `(and more: give a range from where these end)`] : found;
}

/** Goes through a log until `wanted` says false. */
async function scan(log: string, outside: boolean, wanted: (icount: number, line: () => string) => boolean): Promise<void> {
  const cursor = openLog(log);
  try {
    const line = (): string => eventLine(cursor, decodeEvent(cursor));
    while (cursor.next()) {
      if ((!outside || isExternal(cursor)) && !wanted(cursor.icount, line)) return;
      if (cursor.index % AT_A_TIME === 0) await setImmediate();
    }
  } finally {
    cursor.close();
  }
}
