const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** A signal that follows the first one so soon is the same: `timeout`, say, sends it to the program and to its process group. */
const ECHO_MS = 300;
const EXIT_AT_ONCE = 130;

/**
 * Ctrl-C, a request to end, a terminal that was closed: the first one asks for an end in good order, another one ends the program at once (exit code 130).
 * @param stop told of the first one by its number
 * @returns the function that leaves signals to the system again, if there was none: after one they stay here, lest its echo end the program before it has said how it ended
 */
export function onStopSignal(stop: (number: number) => void): () => void {
  let first: { readonly signal: NodeJS.Signals; readonly at: number } | null = null;
  const onSignal = (signal: NodeJS.Signals, number: number): void => {
    if (first === null) {
      first = { signal, at: performance.now() };
      stop(number);
    } else if (signal !== first.signal || performance.now() - first.at > ECHO_MS) process.exit(EXIT_AT_ONCE);
  };
  for (const name of STOP_SIGNALS) process.on(name, onSignal);
  return () => {
    if (first !== null) return;
    for (const name of STOP_SIGNALS) process.off(name, onSignal);
  };
}
