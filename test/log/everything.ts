import type { LogOutput } from '../../replay/log/output.js';
import type { LogFormat } from '../../replay/log/tables.js';
import { LogWriter } from '../../replay/log/writer.js';
import { UserError } from '../../src/core/errors.js';

/** A log in memory; refuses to grow beyond `limit` bytes, like a full disk. */
export class MemoryOutput implements LogOutput {
  bytes = Buffer.alloc(0);
  closed = false;
  private readonly limit: number;
  constructor(limit = Number.POSITIVE_INFINITY) {
    this.limit = limit;
  }
  write(bytes: Uint8Array, position: number): void {
    const room = Math.max(0, Math.min(bytes.length, this.limit - position));
    if (position + room > this.bytes.length) this.bytes = Buffer.concat([this.bytes, Buffer.alloc(position + room - this.bytes.length)]);
    this.bytes.set(bytes.subarray(0, room), position);
    if (room < bytes.length) throw new UserError('file-io', 'full');
  }
  close(): void {
    this.closed = true;
  }
}

/** One of everything that a writer can write, each after some instructions; the network frame has `frameBytes`. */
export function writeEverything(log: LogWriter, frameBytes: number): void {
  let icount = 0;
  const at = () => ++icount * 10;
  log.clock(0, 0, 1795227083352071000n);
  log.checkpoint(0, 7);
  log.interrupt(at());
  log.exception(at());
  log.clock(at(), 1, -1n);
  log.charWrite(at(), -1, 0);
  log.charReadAll(at(), Uint8Array.of(1, 2, 3));
  log.charReadAllError(at(), -11);
  log.audioOut(at(), 1023);
  log.audioIn(at(), 2, 9, new Uint8Array(32).fill(7));
  log.random(at(), 0, Uint8Array.of(9, 8, 7, 6));
  log.async(at(), 1, { kind: 'bh', id: 5 });
  log.async(at(), 1, { kind: 'bh-oneshot', id: 6 });
  log.async(at(), 1, { kind: 'input', event: { kind: 'key', qcode: 36, down: true } });
  log.async(at(), 1, { kind: 'input', event: { kind: 'key-number', number: 30n, down: false } });
  log.async(at(), 1, { kind: 'input', event: { kind: 'button', button: 1, down: true } });
  log.async(at(), 1, { kind: 'input', event: { kind: 'rel', axis: 1, value: -5 } });
  log.async(at(), 1, { kind: 'input', event: { kind: 'abs', axis: 0, value: 0x4000 } });
  log.async(at(), 1, { kind: 'input', event: { kind: 'mtt', type: 1, slot: 2, trackingId: 3, axis: 0, value: 4 } });
  log.async(at(), 1, { kind: 'input', event: { kind: 'unknown', code: 77 } });
  log.async(at(), 1, { kind: 'input-sync' });
  log.async(at(), 1, { kind: 'char-read', device: 0, bytes: Uint8Array.of(0x48) });
  log.async(at(), 1, { kind: 'block', id: 1 });
  log.async(at(), 1, { kind: 'net', filter: 0, flags: 1, bytes: new Uint8Array(frameBytes).fill(0xee) });
  log.shutdown(at(), 'guest-shutdown');
  log.finish(at());
  log.close();
}

/** A small log with one of everything. */
export function everything(format: LogFormat): Uint8Array {
  const output = new MemoryOutput();
  writeEverything(new LogWriter(output, format), 6);
  return new Uint8Array(output.bytes);
}
