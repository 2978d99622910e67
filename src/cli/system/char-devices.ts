import { UserError } from '../../core/errors.js';
import { known, onlyKeys, parseKeyValues } from '../../machine/keyval.js';
import { isSocketText, parseSocketText, type SocketOption, socketOption } from '../socket-option.js';

/** What is at the host's end of a character device: a text that machine options know, or a socket. */
export type CharEnd = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'socket'; readonly socket: SocketOption };

const BACKENDS = ['socket', 'null', 'stdio', 'file'];

/** Decodes all `-chardev` options, by id. Throws UserError. */
export function charDevices(texts: readonly string[]): ReadonlyMap<string, CharEnd> {
  const found = new Map<string, CharEnd>();
  for (const text of texts) {
    const { id, ...values } = parseKeyValues('-chardev', text, 'backend');
    if (id === undefined || id === '') throw new UserError('bad-option', `-chardev ${text}: id= is missing`);
    if (found.has(id)) throw new UserError('bad-option', `-chardev ${text}: another one has id=${id}`);
    found.set(id, charDevice(text, known('-chardev', values.backend ?? '', BACKENDS), values));
  }
  return found;
}

function charDevice(text: string, backend: string, values: Record<string, string>): CharEnd {
  if (backend === 'socket') return { kind: 'socket', socket: socketOption('-chardev', text, values) };
  onlyKeys(
    '-chardev',
    values,
    backend === 'file' ? ['backend', 'path', 'mux'] : ['backend', 'mux', ...(backend === 'stdio' ? ['signal'] : [])],
  );
  if ((values.mux ?? 'off') !== 'off') throw new UserError('not-supported', `-chardev ${text}: mux=on is not supported`);
  if (backend === 'file' && !values.path) throw new UserError('bad-option', `-chardev ${text}: path= is missing`);
  return { kind: 'text', text: backend === 'file' ? `file:${values.path}` : backend };
}

/** The end that `chardev:ID`, a socket's text, or another text names. Throws UserError. */
export function charEnd(option: string, text: string, devices: ReadonlyMap<string, CharEnd>): CharEnd {
  if (isSocketText(text)) return { kind: 'socket', socket: parseSocketText(option, text) };
  return text.startsWith('chardev:') ? namedEnd(option, text, text.slice(8), devices) : { kind: 'text', text };
}

/** The end of that id. Throws UserError. */
export function namedEnd(option: string, text: string, id: string, devices: ReadonlyMap<string, CharEnd>): CharEnd {
  const device = devices.get(id);
  if (device === undefined) throw new UserError('bad-option', `${option} ${text}: there is no such -chardev`);
  return device;
}
