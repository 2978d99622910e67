import type { SnapshotEntry } from '../block/qcow2/snapshot-table.js';

export type { SnapshotEntry };

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];

/** Snapshots as QEMU's `info snapshots` and `qemu-img snapshot -l` print them: a line of titles, and one for each. */
export function snapshotTable(entries: readonly SnapshotEntry[]): string[] {
  return [line('ID', ' TAG', 'VM SIZE', 'DATE', 'VM CLOCK', 'ICOUNT'), ...entries.map(entryLine)];
}

/** Images come from strangers, and so do names. */
function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '?');
}

function entryLine({ id, name, vmStateBytes, dateSeconds, vmClockNs, icount }: SnapshotEntry): string {
  return line(
    printable(id),
    ` ${printable(name)}`,
    size(vmStateBytes),
    date(dateSeconds),
    clock(vmClockNs),
    icount === null ? '' : String(icount),
  );
}

function line(id: string, tag: string, bytes: string, when: string, vmClock: string, icount: string): string {
  return `${id.padEnd(9)}${tag.padEnd(17)} ${bytes.padStart(8)}${when.padStart(20)}${vmClock.padStart(13)}${icount.padStart(11)}`;
}

/** Three significant digits as C's %0.3g has them (halves go to the even digit), with the unit that leaves less than 1000. */
function size(bytes: number): string {
  let unit = 0;
  let value = bytes;
  for (; value >= 1000 && unit < UNITS.length - 1; unit++) value /= 1024;
  const scale = value >= 100 ? 1 : value >= 10 ? 10 : value >= 1 ? 100 : 1000;
  const cut = Math.floor(value * scale);
  const rest = value * scale - cut;
  const digits = rest > 0.5 || (rest === 0.5 && cut % 2 === 1) ? cut + 1 : cut;
  return `${digits === 1000 && scale === 1 ? '1e+03' : digits / scale} ${UNITS[unit]}`;
}

/** In the time zone of the host. */
function date(seconds: number): string {
  const d = new Date(seconds * 1000);
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}

function clock(ns: number): string {
  const ms = Math.floor(ns / 1e6);
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${two(Math.floor(ms / 3_600_000))}:${two(Math.floor(ms / 60_000) % 60)}:${two(Math.floor(ms / 1000) % 60)}.${String(ms % 1000).padStart(3, '0')}`;
}
