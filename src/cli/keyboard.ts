/** Characters that a terminal turns into signals. */
const SIGNALS: ReadonlyMap<number, NodeJS.Signals> = new Map([
  [0x03, 'SIGINT'],
  [0x1a, 'SIGTSTP'],
  [0x1c, 'SIGQUIT'],
]);

/**
 * Reads standard input. At a terminal keys come one by one and are not echoed, as a guest or a line editor wants them; it is put back when that is ended, and while
 * the program is stopped.
 * @param take what was typed
 * @param signals Ctrl-C, Ctrl-Z and Ctrl-\ do what they do to other programs; else they are characters like others
 * @returns what ends it
 */
export function openKeyboard(take: (bytes: Buffer) => void, signals: boolean): () => void {
  const { stdin } = process;
  const raw = (on: boolean): void => {
    if (stdin.isTTY) stdin.setRawMode(on);
  };
  const onData = (bytes: Buffer): void => {
    if (!signals || !stdin.isTTY) return take(bytes);
    const typed = bytes.filter((b) => !SIGNALS.has(b));
    if (typed.length > 0) take(Buffer.from(typed));
    for (const b of bytes) {
      const signal = SIGNALS.get(b);
      if (signal === undefined) continue;
      raw(false);
      process.kill(process.pid, signal);
      if (signal === 'SIGINT') raw(true);
    }
  };
  const onContinue = (): void => {
    raw(false);
    raw(true);
  };
  raw(true);
  stdin.on('data', onData).on('error', ignore);
  process.on('SIGCONT', onContinue);
  return () => {
    process.off('SIGCONT', onContinue);
    stdin.off('data', onData);
    raw(false);
    stdin.pause();
    (stdin as { unref?: () => void }).unref?.();
  };
}

function ignore(): void {}
