import { linkSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { UserError } from '../core/errors.js';

/** Longest lock file that is looked into; a stranger's may be anything. */
const MAX_LOCK_BYTES = 1024;
const RETRY_MS = 50;
/** How often a lock file is looked at that says nothing and does not go away. */
const MAX_RIDDLES = 100;

/** Who holds a lock. */
interface Holder {
  readonly pid: number;
  /** When that process began, in the host's words: numbers of processes come back. null: the host does not tell. */
  readonly began: string | null;
  readonly host: string;
}

let takenHere = 0;

/**
 * Keeps a second process (or a second machine of this one) from writing a file: FILE.lock beside it names the process that writes. One that was killed holds nothing any more.
 * Readers need no lock.
 */
export class FileLock {
  private readonly path: string;
  private readonly text: string;

  private constructor(path: string, text: string) {
    this.path = path;
    this.text = text;
  }

  /**
   * Takes the lock of a file; null where no file can be made beside it: whoever wants to write there will hear why.
   * @param patienceMs how long to wait for another to be done
   * @throws UserError 'file-io' naming the process that holds it
   */
  static take(file: string, patienceMs = 0): FileLock | null {
    const path = `${file}.lock`;
    const text = JSON.stringify({ pid: process.pid, began: beganAt(process.pid), host: hostname(), number: takenHere++ });
    let waitedMs = 0;
    for (let riddles = 0; riddles < MAX_RIDDLES; riddles++) {
      const made = make(path, text);
      if (made !== 'held') return made === 'made' ? new FileLock(path, text) : null;
      const there = read(path);
      const holder = there === null ? null : holderIn(there);
      if (holder === null || isGone(holder)) {
        if (there !== null) putAside(path, there);
        continue;
      }
      if (waitedMs >= patienceMs) throw busy(file, path, holder);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
      waitedMs += RETRY_MS;
      riddles = 0;
    }
    throw new UserError('file-io', `${path}: it stands for nobody, but can neither be read nor removed`);
  }

  release(): void {
    if (read(this.path) === this.text) rmSync(this.path, { force: true });
  }
}

function busy(file: string, path: string, { pid, host }: Holder): UserError {
  const who = host === hostname() ? `process ${pid}` : `process ${pid} of ${host}`;
  return new UserError(
    'file-io',
    `${file} is being written by ${who}; try again when that is done (if there is no such process, remove ${path})`,
  );
}

/** The file appears with all its text or not at all. */
function make(path: string, text: string): 'made' | 'held' | 'impossible' {
  const temporary = `${path}.${process.pid}.${takenHere}`;
  try {
    writeFileSync(temporary, text, { flag: 'wx' });
    linkSync(temporary, path);
    return 'made';
  } catch (e) {
    return (e as NodeJS.ErrnoException).code === 'EEXIST' && exists(path) ? 'held' : makeAtOnce(path, text, e);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Where the file system has no links. */
function makeAtOnce(path: string, text: string, why: unknown): 'made' | 'held' | 'impossible' {
  if (!['EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK'].includes((why as NodeJS.ErrnoException).code ?? '')) return 'impossible';
  try {
    writeFileSync(path, text, { flag: 'wx' });
    return 'made';
  } catch (e) {
    return (e as NodeJS.ErrnoException).code === 'EEXIST' ? 'held' : 'impossible';
  }
}

function exists(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** What the lock file says; null: it is gone. */
function read(path: string): string | null {
  try {
    return statSync(path).size > MAX_LOCK_BYTES ? '' : readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function holderIn(text: string): Holder | null {
  try {
    const { pid, began, host } = JSON.parse(text) as Record<string, unknown>;
    const right =
      Number.isSafeInteger(pid) && (pid as number) > 0 && typeof host === 'string' && (began === null || typeof began === 'string');
    return right ? ({ pid, began, host } as Holder) : null;
  } catch {
    return null;
  }
}

/** Processes of other hosts cannot be asked. */
function isGone({ pid, began, host }: Holder): boolean {
  if (host !== hostname()) return false;
  try {
    process.kill(pid, 0);
  } catch (e) {
    return (e as NodeJS.ErrnoException).code === 'ESRCH';
  }
  const now = beganAt(pid);
  if (now === ENDED) return true;
  return began !== null && now !== null && now !== began;
}

/** A process that is only left because nobody has asked yet how it ended. */
const ENDED = 'ended';

/** Clock ticks since the host's start, or ENDED (proc(5), fields 22 and 3 of stat). */
function beganAt(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // Its threads may be about to end, too, in the middle of writing.
    const over = fields[0] === 'Z' && readdirSync(`/proc/${pid}/task`).length === 1;
    return over ? ENDED : (fields[19] ?? null);
  } catch {
    return null;
  }
}

/** Removes a lock that nobody holds; one that another took meanwhile is put back. */
function putAside(path: string, text: string): void {
  const aside = `${path}.${process.pid}.old`;
  try {
    renameSync(path, aside);
    if (read(aside) !== text) linkSync(aside, path);
  } catch {
    // Another was faster.
  } finally {
    rmSync(aside, { force: true });
  }
}
