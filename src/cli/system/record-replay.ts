import { UserError } from '../../core/errors.js';
import { parseKeyValues } from '../../machine/keyval.js';

/** What `-icount` says of recording. */
export interface RecordReplay {
  /** What is left for the machine; undefined: nothing was given. */
  readonly icount: string | undefined;
  readonly mode: 'none' | 'record' | 'replay';
  readonly log: string | null;
}

/** Decodes `-icount shift=N,rr=record|replay,rrfile=FILE,rrsnapshot=NAME`. Throws UserError, with QEMU's words. */
export function recordReplay(text: string | undefined): RecordReplay {
  if (text === undefined) return { icount: undefined, mode: 'none', log: null };
  const { rr, rrfile, ...clock } = parseKeyValues('-icount', text, 'shift');
  const icount = Object.entries(clock)
    .map(([key, value]) => `${key}=${value.replaceAll(',', ',,')}`)
    .join(',');
  if (rr === undefined) {
    if (rrfile !== undefined || clock.rrsnapshot !== undefined)
      throw new UserError('bad-option', `-icount ${rrfile === undefined ? 'rrsnapshot' : 'rrfile'}= needs rr=record or rr=replay`);
    return { icount, mode: 'none', log: null };
  }
  if (rr !== 'record' && rr !== 'replay') throw new UserError('bad-option', `-icount ${text}: Invalid icount rr option: ${rr}`);
  if (rrfile === undefined || rrfile === '')
    throw new UserError('bad-option', `-icount ${text}: File name not specified for replay (rrfile=FILE)`);
  if (clock.shift === undefined) throw new UserError('bad-option', `-icount ${text}: Please enable icount to use record/replay (shift=N)`);
  return { icount, mode: rr, log: rrfile };
}
