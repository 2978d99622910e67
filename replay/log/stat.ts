import { EventKind, eventName } from './kinds.js';
import type { LogCursor } from './reader.js';
import { hexVersion } from './tables.js';

/** What `log stat` tells of a log. */
export interface LogStat {
  /** As in the header, e.g. `0xe0200c`; `0x000000` when the recording was not finished. */
  readonly version: string;
  readonly generation: 'A' | 'B';
  /** QEMU releases with these event numbers. */
  readonly release: string;
  readonly instructions: number;
  /** END counted. */
  readonly events: number;
  readonly kinds: Readonly<Record<string, number>>;
  readonly bytes: number;
  readonly endsWithEnd: boolean;
  /** Ended in good order: a version in the header and END as the last byte. */
  readonly complete: boolean;
  /** Bytes of a half-written event behind the last whole one. */
  readonly cutOffBytes: number;
}

/** Reads a log to its end. Throws as LogCursor. */
export function statLog(c: LogCursor): LogStat {
  const counts = new Float64Array(32 * 16);
  let ended = false;
  const { bytes } = c;
  while (c.next()) {
    counts[c.kind * 16 + c.sub]!++;
    ended = c.kind === EventKind.END;
  }
  return {
    version: hexVersion(c.version),
    generation: c.numbering.generation,
    release: c.numbering.release,
    instructions: c.icount,
    events: c.index + 1,
    kinds: namedCounts(counts),
    bytes,
    endsWithEnd: ended,
    complete: ended && c.finished,
    cutOffBytes: bytes - c.bytes,
  };
}

/** Counts by name, the causes of SHUTDOWN taken together, in the order of kinds.ts. */
function namedCounts(counts: Float64Array): Record<string, number> {
  const kinds: Record<string, number> = {};
  counts.forEach((count, i) => {
    if (count === 0) return;
    const name = eventName(i >> 4, i & 15);
    kinds[name] = (kinds[name] ?? 0) + count;
  });
  return kinds;
}
