import { UserError } from '../core/errors.js';
import type { ListenAddress } from './listen.js';

/** A socket as QEMU's options describe it. */
export interface SocketOption {
  /** `fd`: the program that started us has connected it. */
  readonly address: ListenAddress | { readonly kind: 'fd'; readonly fd: number };
  /** We listen; else somebody listens there and is called. */
  readonly server: boolean;
  /** Nothing begins before somebody has connected. */
  readonly wait: boolean;
  /** The other end speaks telnet. */
  readonly telnet: boolean;
}

const LOOPBACK = '127.0.0.1';
const SWITCHES = ['server', 'wait', 'telnet', 'nodelay', 'ipv4', 'ipv6', 'delay'];
const KEYS = ['backend', 'id', 'path', 'host', 'port', 'fd', 'mux', ...SWITCHES];

/** Whether a text is a socket: `tcp:...`, `telnet:...` or `unix:...`. */
export function isSocketText(text: string): boolean {
  return /^(tcp|telnet|unix):/.test(text);
}

/** Decodes `tcp:[HOST]:PORT`, `telnet:[HOST]:PORT` and `unix:PATH`, with `,server=on,wait=off` and the like behind. Without HOST: loopback. Throws UserError. */
export function parseSocketText(option: string, text: string): SocketOption {
  const [where, ...flags] = text.split(',') as [string, ...string[]];
  const values: Record<string, string> = {};
  for (const flag of flags) {
    const [, no, name, value] = /^(no)?([a-z0-9]+?)(?:=(.*))?$/.exec(flag) ?? [];
    const key = no !== undefined && SWITCHES.includes(name!) ? name! : flag.split('=')[0]!;
    if (!SWITCHES.includes(key)) throw new UserError('bad-option', `${option} ${text}: "${flag}" is not supported`);
    values[key] = key === name && no !== undefined ? 'off' : (value ?? 'on');
  }
  const network = /^(?:tcp|telnet):(.*):([^:]*)$/.exec(where);
  if (network !== null) {
    values.host = network[1]!.replace(/^\[|\]$/g, '');
    values.port = network[2]!;
  } else if (where.startsWith('unix:') && where.length > 5) values.path = where.slice(5);
  else throw new UserError('bad-option', `${option} ${text}: expected tcp:HOST:PORT (such as tcp:127.0.0.1:1234) or unix:PATH`);
  if (where.startsWith('telnet:')) values.telnet = 'on';
  return socketOption(option, text, values);
}

/** Decodes the keys of `-chardev socket,...`. Throws UserError. */
export function socketOption(option: string, text: string, values: Readonly<Record<string, string>>): SocketOption {
  for (const key of Object.keys(values))
    if (!KEYS.includes(key))
      throw new UserError('bad-option', `${option} ${text}: "${key}" is not supported; there are ${KEYS.join(', ')}`);
  const on = (name: string, absent: boolean): boolean => {
    const value = values[name];
    if (value !== undefined && value !== 'on' && value !== 'off')
      throw new UserError('bad-option', `${option} ${text}: ${name}= must be on or off`);
    return value === undefined ? absent : value === 'on';
  };
  if (on('mux', false)) throw new UserError('not-supported', `${option} ${text}: mux=on is not supported`);
  const server = on('server', false);
  return { address: addressOf(option, text, values), server, wait: server && on('wait', true), telnet: on('telnet', false) };
}

function addressOf(option: string, text: string, { path, host, port, fd }: Readonly<Record<string, string>>): SocketOption['address'] {
  if (fd !== undefined) {
    if (!/^\d{1,6}$/.test(fd)) throw new UserError('bad-option', `${option} ${text}: fd= must be the number of an open file`);
    return { kind: 'fd', fd: Number(fd) };
  }
  if (path !== undefined && path !== '') return { kind: 'unix', path };
  if (port === undefined || !/^\d{1,5}$/.test(port) || Number(port) > 65535)
    throw new UserError('bad-option', `${option} ${text}: a port from 0 to 65535, or path=, is missing`);
  return { kind: 'tcp', host: host === undefined || host === '' ? LOOPBACK : host, port: Number(port) };
}
