import type { Readable, Writable } from 'node:stream';
import { type HumanMonitor, MAX_LINE_BYTES } from './hmp.js';
import type { MachineControl } from './machine-control.js';
import { QmpSession } from './qmp.js';

export const PROMPT = '(qemu) ';
export const BANNER = "palindrome monitor - type 'help' for more information";
/** Lines that wait for those before them; a client that sends more is not read meanwhile. */
const MAX_WAITING = 64;

/** A human monitor on two streams: banner (if any), prompt, a command a line. Returns what ends it. */
export function serveHuman(human: HumanMonitor, input: Readable, output: Writable, banner = BANNER): () => void {
  let pending = '';
  let tooLong = false;
  let waiting = 0;
  let queue: Promise<void> = Promise.resolve();
  const print = (text: string): void => void output.write(text.replaceAll('\n', '\r\n'));
  const take = (line: string): void => {
    if (++waiting === MAX_WAITING) input.pause();
    queue = queue.then(async () => {
      print(await human.execute(line));
      print(PROMPT);
      if (waiting-- === MAX_WAITING) input.resume();
    });
  };
  const onData = (bytes: Buffer | string): void => {
    for (const c of bytes.toString()) {
      if (c !== '\n' && c !== '\r') {
        if (pending.length < MAX_LINE_BYTES) pending += c;
        else tooLong = true;
        continue;
      }
      const line = tooLong ? '' : pending;
      pending = '';
      tooLong = false;
      if (line === '' && c === '\r') continue;
      take(line);
    }
  };
  if (banner !== '') print(`${banner}\n${PROMPT}`);
  input.on('data', onData);
  return () => {
    input.off('data', onData);
  };
}

/** A machine protocol on two streams. Returns what ends it. */
export function serveMachineProtocol(control: MachineControl, human: HumanMonitor, input: Readable, output: Writable): () => void {
  const session = new QmpSession(control, human, { send: (line) => void output.write(line), now: () => Date.now() });
  const onData = (text: Buffer | string): void => {
    // Who asks faster than we answer is not read meanwhile.
    if (session.receive(text.toString()) < MAX_WAITING) return;
    input.pause();
    void session.idle().then(() => input.resume());
  };
  input.setEncoding('utf8').on('data', onData);
  return () => {
    input.off('data', onData);
    session.close();
  };
}
