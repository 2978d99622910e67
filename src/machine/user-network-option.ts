import { UserError } from '../core/errors.js';
import { formatIpv4, parseIpv4, prefixMask } from '../net/ipv4-address.js';
import type { PortForward, UserNetworkConfig } from '../net/user-network-config.js';
import { known, onlyKeys } from './keyval.js';

/** Properties of `-netdev user` that are understood. */
const USER_PROPERTIES = ['net', 'host', 'restrict', 'dhcpstart', 'dns', 'hostname', 'domainname', 'hostfwd', 'ipv4', 'ipv6'];
/** QEMU's, that are not there. */
const LACKING = [
  ...['dnssearch', 'tftp', 'tftp-server-name', 'bootfile', 'smb', 'smbserver', 'guestfwd'],
  ...['ipv6-net', 'ipv6-prefix', 'ipv6-prefixlen', 'ipv6-host', 'ipv6-dns'],
];
const DEFAULT_NETWORK = '10.0.2.0/24';
const LOOPBACK = '127.0.0.1';
const MAX_NAME_BYTES = 255;
/** Bits of networks without a mask, by the first bits of the address. */
const CLASSES: readonly (readonly [network: string, bits: number, prefix: number])[] = [
  ['0.0.0.0', 1, 8],
  ['172.16.0.0', 12, 12],
  ['128.0.0.0', 2, 16],
  ['192.168.0.0', 16, 16],
  ['198.18.0.0', 16, 15],
  ['192.0.0.0', 3, 24],
];

/**
 * Splits `hostfwd=RULE`, of which there may be several, from the rest of an option.
 * @returns the option without them, and the rules
 */
export function splitForwards(text: string): { readonly rest: string; readonly forwards: readonly string[] } {
  const parts = text.split(',');
  const forwards = parts.filter((part) => part.startsWith('hostfwd='));
  return { rest: parts.filter((part) => !part.startsWith('hostfwd=')).join(','), forwards: forwards.map((part) => part.slice(8)) };
}

/**
 * Decodes the properties of a user network. Throws UserError, mostly in QEMU's words.
 * @param given the option as it was given, for messages
 * @param own properties of the option that are not the network's
 */
export function userNetwork(
  given: string,
  found: Record<string, string>,
  forwards: readonly string[],
  own: readonly string[],
): UserNetworkConfig {
  const refuse = (why: string): never => {
    throw new UserError('bad-option', `${given}: ${why}`);
  };
  const lacking = LACKING.find((name) => found[name] !== undefined);
  if (lacking !== undefined) throw new UserError('not-supported', `${given}: ${lacking}= is not supported`);
  onlyKeys(given.split(',')[0]!, found, [...own, ...USER_PROPERTIES]);
  if (known(`${given}: ipv4`, found.ipv4 ?? 'on', ['on', 'off']) === 'off') refuse('ipv4=off is not supported, there is no IPv6');
  if (known(`${given}: ipv6`, found.ipv6 ?? 'off', ['on', 'off']) === 'on') refuse('ipv6=on is not supported');
  const { network, prefix } = found.net === undefined ? netmask(DEFAULT_NETWORK, refuse) : netmask(found.net, refuse);
  const mask = prefixMask(prefix);
  const inside = (low: number): number => (network | (low & ~mask)) >>> 0;
  const address = (name: string, what: string, low: number): number =>
    found[name] === undefined ? inside(low) : (parseIpv4(found[name]) ?? refuse(`Failed to parse ${what}`));
  const host = address('host', 'host', 0x0202);
  const dns = address('dns', 'DNS', 0x0203);
  const dhcpStart = address('dhcpstart', 'DHCP start address', 0x020f);
  const restrict = known(`${given}: restrict`, found.restrict ?? 'off', ['on', 'off', 'yes', 'no', 'y', 'n']);
  const restricted = ['on', 'yes', 'y'].includes(restrict);
  const outside = (a: number): boolean => (a & mask) >>> 0 !== network;
  if (outside(host)) refuse("Host doesn't belong to network");
  if (restricted && outside(dns)) refuse("DNS doesn't belong to network");
  if (dns === host) refuse('DNS must be different from host');
  if (outside(dhcpStart)) refuse("DHCP doesn't belong to network");
  if (dhcpStart === host || dhcpStart === dns) refuse('DHCP must be different from host and DNS');
  if (found.domainname === '') refuse("'domainname' parameter cannot be empty");
  for (const name of ['hostname', 'domainname'] as const)
    if (Buffer.byteLength(found[name] ?? '') > MAX_NAME_BYTES) refuse(`'${name}' parameter cannot exceed ${MAX_NAME_BYTES} bytes`);
  return {
    network: formatIpv4(network),
    prefix,
    host: formatIpv4(host),
    dns: formatIpv4(dns),
    dhcpStart: formatIpv4(dhcpStart),
    restrict: restricted,
    hostname: found.hostname ?? null,
    domain: found.domainname ?? null,
    forwards: forwards.map((rule) => forward(rule, formatIpv4(dhcpStart), refuse)),
  };
}

/** `ADDRESS`, `ADDRESS/BITS` or `ADDRESS/MASK`. */
function netmask(text: string, refuse: (why: string) => never): { readonly network: number; readonly prefix: number } {
  const [left, right] = text.split('/');
  const address = parseIpv4(left!) ?? refuse('Failed to parse netmask');
  const prefix = right === undefined ? classOf(address) : prefixOf(right, refuse);
  return { network: (address & prefixMask(prefix)) >>> 0, prefix };
}

function classOf(address: number): number {
  const found = CLASSES.find(([network, bits]) => ((address ^ parseIpv4(network)!) & prefixMask(bits)) === 0);
  return found?.[2] ?? 28;
}

function prefixOf(text: string, refuse: (why: string) => never): number {
  const mask = parseIpv4(text);
  if (mask === null && !/^\d+$/.test(text)) return refuse('Failed to parse netmask (trailing chars)');
  const bits = mask === null ? Number(text) : Math.clz32(~mask);
  if (bits < 4 || bits > 32) refuse('Invalid netmask provided (must be in range 4-32)');
  if (mask !== null && prefixMask(bits) !== mask) refuse('Invalid netmask provided (its ones are not in front)');
  return bits;
}

/** `[tcp|udp]:[hostaddr]:hostport-[guestaddr]:guestport`. QEMU listens everywhere where no address is given; here it is this machine only. */
function forward(rule: string, guest: string, refuse: (why: string) => never): PortForward {
  const invalid = (why: string): never => refuse(`Invalid host forwarding rule '${rule}' (${why})`);
  const match = /^([^:]*):([^:]*):([^:-]*)-([^:]*):(.*)$/.exec(rule);
  if (match === null) return invalid('expected [tcp|udp]:[hostaddr]:hostport-[guestaddr]:guestport');
  const [, protocol, hostAddress, hostPort, guestAddress, guestPort] = match as unknown as string[];
  if (!['tcp', 'udp', ''].includes(protocol!)) invalid('Bad protocol name');
  if (hostAddress !== '' && parseIpv4(hostAddress!) === null) invalid('Bad host address');
  if (guestAddress !== '' && parseIpv4(guestAddress!) === null) invalid('Bad guest address');
  const port = (text: string, least: number): number | null =>
    /^\d{1,5}$/.test(text) && Number(text) >= least && Number(text) <= 0xffff ? Number(text) : null;
  return {
    protocol: protocol === 'udp' ? 'udp' : 'tcp',
    hostAddress: hostAddress === '' ? LOOPBACK : hostAddress!,
    hostPort: port(hostPort!, 0) ?? invalid('Bad host port'),
    guestAddress: guestAddress === '' ? guest : guestAddress!,
    guestPort: port(guestPort!, 1) ?? invalid('Bad guest port'),
  };
}
