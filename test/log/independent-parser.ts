/**
 * A second parser of logs, written from the tables of the log format alone; it shares nothing with replay/log and knows only the two documented versions.
 * Returns the ids in order and the instructions, or throws when a byte is left over or missing.
 */
export function parseIndependently(log: Buffer): { ids: number[]; instructions: number } {
  const version = log.readUInt32BE(0);
  const old = version === 0xe0200a;
  if (!old && version !== 0xe0200c) throw new Error(`version ${version}`);
  let p = 12;
  let instructions = 0;
  const ids: number[] = [];
  const array = (): void => {
    p += 4 + log.readUInt32BE(p);
  };
  const input = (): void => {
    const kind = log.readUInt32BE(p);
    if (kind === 0) p += log.readUInt32BE(p + 4) === 0 ? 17 : 13;
    else p += [0, 9, 16, 16, 36][kind] ?? 4;
  };
  const skip = (bytes: number, thenArray: boolean): void => {
    p += bytes;
    if (thenArray) array();
  };
  const asyncPayload = [
    () => skip(8, false),
    () => skip(8, false),
    input,
    () => skip(0, false),
    () => skip(1, true),
    () => skip(8, false),
    () => skip(5, true),
  ];
  const [charWrite, clock, end] = old ? [15, 21, 32] : [22, 28, 39];
  for (;;) {
    const id = log.readUInt8(p++);
    ids.push(id);
    if (id === end) break;
    if (id === 0) {
      const n = log.readUInt32BE(p);
      if (n === 0 || n > 0x7fffffff) throw new Error(`n ${n}`);
      instructions += n;
      p += 4;
    } else if (id === 3 && old) {
      const kind = log.readUInt8(p + 1);
      p += 2;
      asyncPayload[kind]!();
    } else if (id >= 3 && id <= 9 && !old) asyncPayload[id - 3]!();
    else if (id === charWrite) p += 8;
    else if (id === charWrite + 1) array();
    else if (id === charWrite + 2) p += 4;
    else if (id === charWrite + 3) p += 8;
    else if (id === charWrite + 4) p += 16 + 16 * Number(log.readBigUInt64BE(p));
    else if (id === charWrite + 5) {
      p += 4;
      array();
    } else if (id === clock || id === clock + 1) p += 8;
    else if (id > end || id === charWrite - 1) throw new Error(`id ${id}`);
    if (p > log.length) throw new Error('ends within an event');
  }
  if (p !== log.length) throw new Error(`${log.length - p} bytes left over`);
  return { ids, instructions };
}
