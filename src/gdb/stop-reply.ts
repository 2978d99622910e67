import type { StopCause } from '../core/debug-target.js';

/** Signal numbers of gdb's protocol. */
const SIGNAL_INT = 2;
const SIGNAL_QUIT = 3;
const SIGNAL_TRAP = 5;
const SIGNAL_ABRT = 6;

const WATCH = { write: 'watch', read: 'rwatch', access: 'awatch' } as const;

function signal(number: number, thread: string, more = ''): string {
  return `T${number.toString(16).padStart(2, '0')}thread:${thread};${more}`;
}

/**
 * The packet that says why the target stopped.
 * @param thread as gdb was told it
 * @param live there is no recording: a machine that was switched off is at its end
 */
export function stopReply(cause: StopCause, thread: string, live: boolean): string {
  switch (cause.kind) {
    case 'watchpoint': {
      const { kind, address } = cause.watchpoint;
      return signal(SIGNAL_TRAP, thread, `${WATCH[kind]}:${address.toString(16).padStart(8, '0')};`);
    }
    case 'debug':
      return signal(SIGNAL_TRAP, thread);
    case 'paused':
      return signal(SIGNAL_INT, thread);
    case 'log-begin':
      return signal(SIGNAL_TRAP, thread, 'replaylog:begin;');
    case 'log-end':
      return signal(SIGNAL_TRAP, thread, 'replaylog:end;');
    case 'shutdown':
      return live ? signal(SIGNAL_QUIT, thread) : signal(SIGNAL_TRAP, thread, 'replaylog:end;');
    case 'failed':
      return signal(SIGNAL_ABRT, thread);
  }
}
