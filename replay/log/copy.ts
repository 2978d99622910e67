import { InvariantError } from '../../src/core/errors.js';
import type { ShutdownCause } from '../../src/core/machine-view.js';
import type { LogEvent } from './events.js';
import type { LogWriter } from './writer.js';

/**
 * Writes a decoded event at `icount`. INSTRUCTION events need not be written: the position of the next event implies them. END is `writer.finish`.
 * @param checkpoint checkpoint for an asynchronous event that names none (it came from generation B)
 */
export function writeEvent(writer: LogWriter, icount: number, e: LogEvent, checkpoint: number): void {
  switch (e.kind) {
    case 'instruction':
      return;
    case 'interrupt':
      return writer.interrupt(icount);
    case 'exception':
      return writer.exception(icount);
    case 'async':
      return writer.async(icount, e.checkpoint ?? checkpoint, e.event);
    case 'shutdown':
      return writer.shutdown(icount, e.cause as ShutdownCause);
    case 'char-write':
      return writer.charWrite(icount, e.result, e.offset);
    case 'char-read-all':
      return writer.charReadAll(icount, e.bytes);
    case 'char-read-all-error':
      return writer.charReadAllError(icount, e.result);
    case 'audio-out':
      return writer.audioOut(icount, e.played);
    case 'audio-in':
      return writer.audioIn(icount, e.recorded, e.writePosition, e.samples);
    case 'random':
      return writer.random(icount, e.result, e.bytes);
    case 'clock':
      return writer.clock(icount, e.id, e.ns);
    case 'checkpoint':
      return writer.checkpoint(icount, e.id);
    case 'end':
      throw new InvariantError('END is written by finish');
  }
}
