// Oracle: QEMU run (7.2.22): which of telnet's commands (RFC 854) its monitor sends, at first and in answer to a client's, and what it takes for text.
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { TELNET_GREETING } from '../../src/cli/telnet.js';
import { SYSTEM } from '../monitor/qmp-program.js';
import { endWithTest } from '../processes.js';
import { dial, freePort } from '../sockets.js';
import { requireTool } from '../tools.js';

const IAC = 0xff;
const [WILL, WONT, DO, DONT] = [0xfb, 0xfc, 0xfd, 0xfe];
/** ECHO, SUPPRESS-GO-AHEAD, TERMINAL-TYPE, NAWS, and one that nobody has given a meaning. */
const OPTIONS = [1, 3, 24, 31, 200];

/** All that a client can ask for, in the middle of a command's name. */
const ASKED = [WILL, WONT, DO, DONT].flatMap((verb) => OPTIONS.flatMap((option) => [IAC, verb, option]));

/** Talks to a monitor; gives every byte that it sends. */
async function talk(command: readonly string[]): Promise<Buffer> {
  const port = await freePort();
  const machine = ['-M', 'none', '-display', 'none', '-S', '-monitor', `telnet:127.0.0.1:${port},server=on,wait=off`];
  const ours = ['-m', '8', '-nodefaults', '-net', 'none', ...machine.slice(2)];
  const args = [...command.slice(1), ...(command.length > 1 ? ours : machine)];
  const socket = await dial(port, endWithTest(spawn(command[0]!, args, { stdio: 'ignore' })));
  let said = Buffer.alloc(0);
  socket.on('data', (piece: Buffer) => {
    said = Buffer.concat([said, piece]);
  });
  const until = async (text: string): Promise<void> => {
    while (!said.includes(text)) await sleep(10);
  };
  await until('(qemu) ');
  socket.write(Buffer.from([...Buffer.from('info st'), ...ASKED, ...Buffer.from('atus\r\n')]));
  await until('VM status: paused (prelaunch)');
  socket.destroy();
  return said;
}

/** Telnet's commands among the bytes. */
function commands(said: Buffer): number[] {
  return [...said].flatMap((byte, at) => (byte === IAC ? [...said.subarray(at, at + 3)] : []));
}

describe('a monitor by telnet', () => {
  it('says once what it does, and answers no request: it takes them out of what is typed', async () => {
    expect(commands(await talk([process.execPath, SYSTEM]))).toEqual([...TELNET_GREETING]);
  });

  it.skipIf(!requireTool('qemu-system-i386', 'qemu-system-x86'))("does so as QEMU's", async () => {
    expect(commands(await talk(['qemu-system-i386']))).toEqual([...TELNET_GREETING]);
  });
});
