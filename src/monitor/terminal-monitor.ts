import { createInterface } from 'node:readline';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { type HumanMonitor, MAX_LINE_BYTES } from './hmp.js';
import { BANNER, PROMPT } from './monitor-server.js';

const HISTORY_LINES = 64;
/** Ctrl-C, Ctrl-D and Ctrl-Z would act on the program, not on the line. */
const NOT_KEYS = [0x03, 0x04, 0x1a];
const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** A human monitor whose user types at a terminal that neither echoes nor collects lines: a tty in raw mode, or a telnet client. */
export interface TerminalMonitor {
  /** Shows the prompt once more, on a new line, with what was typed so far. */
  prompt(): void;
  end(): void;
}

/** Serves one: echo, editing, a history, and names completed by the tabulator. */
export function serveTerminal(human: HumanMonitor, input: Readable, output: Writable): TerminalMonitor {
  const keys = new PassThrough();
  const editor = createInterface({
    ...{ input: keys, output, terminal: true, prompt: PROMPT, historySize: HISTORY_LINES },
    completer: (line: string) => [human.completions(line), lastWord(line)],
  });
  let typed = 0;
  const onData = (bytes: Uint8Array): void => {
    keys.write(
      bytes.filter((b) => {
        typed = b === RETURN || b === NEWLINE ? 0 : typed + 1;
        return !NOT_KEYS.includes(b) && typed <= MAX_LINE_BYTES;
      }),
    );
  };
  const carryOut = async (line: string): Promise<void> => {
    input.pause();
    const said = await human.execute(line);
    if (ended) return;
    output.write(said.replaceAll('\n', '\r\n'));
    editor.prompt();
    input.resume();
  };
  let ended = false;
  let queue: Promise<void> = Promise.resolve();
  editor.on('line', (line) => {
    queue = queue.then(() => carryOut(line));
  });
  output.write(`${BANNER}\r\n`);
  editor.prompt();
  input.on('data', onData);
  return {
    prompt: () => {
      output.write('\r\n');
      editor.prompt(true);
    },
    end: () => {
      ended = true;
      input.off('data', onData);
      editor.close();
    },
  };
}

function lastWord(line: string): string {
  return /\S*$/.exec(line)![0];
}
