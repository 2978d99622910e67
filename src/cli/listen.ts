import { rmSync, statSync } from 'node:fs';
import type { Server } from 'node:net';
import { reason } from '../../replay/log/input.js';
import { UserError } from '../core/errors.js';

/** Where a server listens. */
export type ListenAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

const LOOPBACK = '127.0.0.1';

/**
 * Decodes `tcp:[HOST]:PORT` and `unix:PATH` as QEMU spells them, with `,server=on,wait=off` and the like behind. Without HOST: loopback.
 * Throws UserError 'bad-option'.
 */
export function parseListenAddress(option: string, text: string): ListenAddress {
  const [where, ...flags] = text.split(',');
  for (const flag of flags)
    if (!/^(server(=on)?|nowait|wait=off|nodelay(=on|=off)?|ipv4(=on)?)$/.test(flag))
      throw new UserError(
        'not-supported',
        `${option} ${text}: "${flag}" is not supported; we listen (server=on) and never wait (wait=off)`,
      );
  const tcp = /^(?:tcp|telnet):(.*):(\d{1,5})$/.exec(where!);
  if (tcp !== null && Number(tcp[2]) < 65536)
    return { kind: 'tcp', host: tcp[1]!.replace(/^\[|\]$/g, '') || LOOPBACK, port: Number(tcp[2]) };
  if (where!.startsWith('unix:') && where!.length > 5) return { kind: 'unix', path: where!.slice(5) };
  throw new UserError('bad-option', `${option} ${text}: expected tcp:HOST:PORT (such as tcp:127.0.0.1:1234) or unix:PATH`);
}

/** Listens; gives the address in the same spelling, with the port that was chosen where 0 was given. Throws UserError 'file-io'. */
export async function listen(option: string, server: Server, address: ListenAddress): Promise<string> {
  if (address.kind === 'unix') removeStaleSocket(address.path);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (e) => reject(new UserError('file-io', `${option}: cannot listen at ${spell(address)} (${reason(e)})`)));
    if (address.kind === 'tcp') server.listen(address.port, address.host, resolve);
    else server.listen(address.path, resolve);
  });
  const bound = server.address();
  return spell(address.kind === 'tcp' && bound !== null && typeof bound === 'object' ? { ...address, port: bound.port } : address);
}

function spell(address: ListenAddress): string {
  return address.kind === 'tcp' ? `tcp:${address.host}:${address.port}` : `unix:${address.path}`;
}

/** As QEMU: a socket that was left behind makes room; any other file does not. */
function removeStaleSocket(path: string): void {
  try {
    if (statSync(path).isSocket()) rmSync(path);
  } catch {
    // Nothing there, or listening will say what is wrong.
  }
}
