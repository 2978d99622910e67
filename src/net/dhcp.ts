import { MAC_BYTES } from './ethernet.js';

/** DHCP and BOOTP (RFC 2131, RFC 2132, RFC 951). */
export const DHCP_SERVER_PORT = 67;
export const DHCP_CLIENT_PORT = 68;
const DISCOVER = 1;
const OFFER = 2;
const REQUEST = 3;
const ACK = 5;
const NAK = 6;
const BOOT_REQUEST = 1;
const BOOT_REPLY = 2;
const FIXED_BYTES = 236;
const REPLY_BYTES = 548;
const COOKIE = 0x63825363;
const CLIENTS = 16;
const LEASE_SECONDS = 86_400;
const OPTION_MASK = 1;
const OPTION_ROUTER = 3;
const OPTION_DNS = 6;
const OPTION_HOSTNAME = 12;
const OPTION_DOMAIN = 15;
const OPTION_REQUESTED = 50;
const OPTION_LEASE = 51;
const OPTION_TYPE = 53;
const OPTION_SERVER = 54;
const OPTION_MESSAGE = 56;
const OPTION_END = 255;

/** What the server tells; addresses as numbers. */
export interface DhcpSettings {
  readonly mask: number;
  readonly server: number;
  /** Null: the guest is to reach nobody. */
  readonly router: number | null;
  readonly dns: number | null;
  readonly first: number;
  readonly hostname: string | null;
  readonly domain: string | null;
}

/** Gives 16 addresses, one behind the other, to whoever asks first, for a day, which nobody counts. */
export class DhcpServer {
  private readonly settings: DhcpSettings;
  /** Ethernet addresses, by the number of what they were given. */
  private readonly clients: (string | undefined)[] = [];

  constructor(settings: DhcpSettings) {
    this.settings = settings;
  }

  /** The answer to a message, and who it is for; null: there is none. */
  answer(message: Uint8Array): { readonly reply: Uint8Array; readonly mac: Uint8Array; readonly address: number | null } | null {
    if (message.length < FIXED_BYTES + 4 || message[0] !== BOOT_REQUEST || message[1] !== 1 || message[2] !== MAC_BYTES) return null;
    const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
    if (view.getUint32(FIXED_BYTES) !== COOKIE) return null;
    const { type, requested } = options(message.subarray(FIXED_BYTES + 4));
    // BOOTP's clients have no type.
    if (type !== null && type !== DISCOVER && type !== REQUEST) return null;
    const mac = message.slice(28, 28 + MAC_BYTES);
    const address = this.addressFor(Buffer.from(mac).toString('hex'), type === DISCOVER, requested);
    if (address === null && type === DISCOVER) return null;
    return { reply: this.reply(message, type === DISCOVER ? OFFER : address === null ? NAK : ACK, address), mac, address };
  }

  private addressFor(client: string, discovers: boolean, requested: number | null): number | null {
    const { first } = this.settings;
    if (requested !== null) {
      const number = requested - first;
      const free = number >= 0 && number < CLIENTS && (this.clients[number] ?? client) === client;
      if (free) return this.give(number, client);
      if (!discovers) return null;
    }
    const known = this.clients.indexOf(client);
    if (known >= 0) return first + known;
    for (let number = 0; number < CLIENTS; number++) if (this.clients[number] === undefined) return this.give(number, client);
    return null;
  }

  private give(number: number, client: string): number {
    this.clients[number] = client;
    return this.settings.first + number;
  }

  private reply(request: Uint8Array, type: number, address: number | null): Uint8Array {
    const { server, mask, router, dns, hostname, domain } = this.settings;
    const reply = new Uint8Array(REPLY_BYTES + (hostname?.length ?? 0) + (domain?.length ?? 0));
    const view = new DataView(reply.buffer);
    reply.set([BOOT_REPLY, 1, MAC_BYTES, 0]);
    reply.set(request.subarray(4, 8), 4);
    reply.set(request.subarray(10, 12), 10);
    view.setUint32(16, address ?? 0);
    view.setUint32(20, server);
    reply.set(request.subarray(28, 44), 28);
    view.setUint32(FIXED_BYTES, COOKIE);
    const number = (value: number): number[] => [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
    const bytes = [OPTION_TYPE, 1, type, OPTION_SERVER, 4, ...number(server)];
    const text = (option: number, value: string): void => {
      const encoded = Buffer.from(value);
      bytes.push(option, encoded.length, ...encoded);
    };
    if (type === NAK) text(OPTION_MESSAGE, 'requested address not available');
    else {
      bytes.push(OPTION_MASK, 4, ...number(mask));
      if (router !== null) bytes.push(OPTION_ROUTER, 4, ...number(router));
      if (dns !== null) bytes.push(OPTION_DNS, 4, ...number(dns));
      bytes.push(OPTION_LEASE, 4, ...number(LEASE_SECONDS));
      if (hostname !== null && hostname !== '') text(OPTION_HOSTNAME, hostname);
      if (domain !== null) text(OPTION_DOMAIN, domain);
    }
    bytes.push(OPTION_END);
    reply.set(bytes, FIXED_BYTES + 4);
    return reply;
  }
}

/** Message type and requested address; what is cut off ends the list. */
function options(bytes: Uint8Array): { type: number | null; requested: number | null } {
  const found: { type: number | null; requested: number | null } = { type: null, requested: null };
  for (let at = 0; at < bytes.length && bytes[at] !== OPTION_END; ) {
    if (bytes[at] === 0) {
      at++;
      continue;
    }
    const length = bytes[at + 1] ?? 0;
    const value = bytes.subarray(at + 2, at + 2 + length);
    if (value.length < length) break;
    if (bytes[at] === OPTION_TYPE && length >= 1) found.type = value[0]!;
    if (bytes[at] === OPTION_REQUESTED && length >= 4) found.requested = new DataView(value.buffer, value.byteOffset).getUint32(0);
    at += 2 + length;
  }
  return found;
}
