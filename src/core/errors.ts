/** Process exit codes: see README "Exit codes". */
export const EXIT_USER_ERROR = 2;
export const EXIT_DIVERGENCE = 3;

/** The catalogue of user-visible error codes. One stable word each; the message carries the flag, file or offset. */
export type UserErrorCode =
  | 'bad-option'
  | 'file-not-found'
  | 'file-io'
  | 'disk-full'
  | 'log-version'
  | 'log-truncated'
  | 'log-corrupt'
  | 'log-unconvertible'
  | 'sidecar-corrupt'
  | 'option-mismatch'
  | 'store-corrupt'
  | 'image-corrupt'
  | 'snapshot-corrupt'
  | 'symbols-corrupt'
  | 'not-supported';

/** Somebody gave us something that cannot be used. The message is one sentence: what, where, what was expected and found. */
export class UserError extends Error {
  readonly code: UserErrorCode;
  constructor(code: UserErrorCode, message: string) {
    super(message);
    this.name = 'UserError';
    this.code = code;
  }
}

/** A replay does not follow its log. Carries the instruction count, what the log holds and what the machine did. */
export class DivergenceError extends Error {
  readonly icount: number;
  readonly expected: string;
  readonly found: string;
  constructor(icount: number, expected: string, found: string) {
    super(`replay diverged at instruction ${icount}: the log holds ${expected}; the machine ${found}`);
    this.name = 'DivergenceError';
    this.icount = icount;
    this.expected = expected;
    this.found = found;
  }
}

/** A promise between our own parts is broken: a bug in palindrome, never in its input. */
export class InvariantError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'InvariantError';
  }
}
