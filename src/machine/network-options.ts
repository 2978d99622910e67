import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { formatMac, parseMac } from '../../devices/net/mac-address.js';
import { UserError } from '../core/errors.js';
import type { UserNetworkConfig } from '../net/user-network-config.js';
import { known, onlyKeys, parseKeyValues, parseNumber } from './keyval.js';
import { refuseLackingDevice } from './lacking-devices.js';
import { PCI_SLOTS, pciSlot } from './pci-slot.js';
import { splitForwards, userNetwork } from './user-network-option.js';

/** A network card. */
export interface NicConfig {
  readonly model: 'rtl8139';
  /** What the monitors call it. */
  readonly id: string;
  /** The network that its cable leads to; null: nowhere. */
  readonly network: string | null;
  readonly mac: string;
  /** Of PCI bus 0. */
  readonly slot: number;
  /** The file of its expansion ROM; null: it has none. */
  readonly rom: string | null;
  /** Place in the order in which firmware tries devices; absent: in no list. */
  readonly bootIndex?: number;
}

/** A network of the host's. Its place in MachineConfig.networks is the number of its filter in the log. */
export interface NetworkConfig {
  readonly id: string;
  /** Name of the filter-replay that the command line put there; null: there is one all the same, for what comes from outside always goes through the log. */
  readonly filter: string | null;
  readonly user: UserNetworkConfig;
}

export interface NetworkParts {
  readonly nics?: readonly NicConfig[];
  readonly networks?: readonly NetworkConfig[];
}

/** The options about networks, still text. */
export interface NetworkArguments {
  readonly netdev?: readonly string[] | undefined;
  readonly net?: readonly string[] | undefined;
  readonly nic?: readonly string[] | undefined;
  readonly object?: readonly string[] | undefined;
}

/** What else decides about cards. */
export interface NetworkContext {
  /** In which order slots are given: all devices of the command line, network cards or not. */
  readonly devices: readonly string[];
  readonly displaySlot: number | null;
  readonly bios: string | undefined;
  readonly firmwareFolder: string | undefined;
  /** Cards of the recording that is replayed, by which a ROM that is not given is known. */
  readonly recorded: readonly NicConfig[] | null;
}

const MODEL = 'rtl8139';
const ROM_FILE = 'efi-rtl8139.rom';
/** Where Debian's ipxe-qemu has it. */
const ROM_FOLDERS = ['/usr/lib/ipxe/qemu', '/usr/share/qemu'];
const BRIDGE_SLOTS = [0, 1];
const DEFAULT_MAC = [0x52, 0x54, 0x00, 0x12, 0x34];
const FIRST_MAC = 0x56;
const LAST_MAC = 0xfe;
/** QEMU's numbers in the log are bytes. */
const MAX_NETWORKS = 255;
const DEVICE_PROPERTIES = ['driver', 'id', 'netdev', 'mac', 'addr', 'bus', 'bootindex', 'romfile', 'rombar', 'multifunction'];

/** Whether a `--device` is a network card of ours. */
export function isNic(text: string): boolean {
  return /^(driver=)?rtl8139(,|$)/.test(text);
}

/** The cards and networks that the command line describes, as QEMU spells them. Throws UserError naming the option. */
export function configureNetworks(args: NetworkArguments, context: NetworkContext): NetworkParts {
  const builder = new NetworkBuilder(context);
  for (const text of args.netdev ?? []) builder.netdev(text);
  for (const text of args.nic ?? []) builder.nic(text);
  builder.legacy(args.net ?? []);
  for (const text of context.devices) builder.device(text);
  return builder.finish(args.object ?? []);
}

/** What a user should know of a configuration, in QEMU's words. */
export function networkWarnings({ nics = [], networks = [] }: NetworkParts): string[] {
  return [
    ...networks.filter(({ id }) => !nics.some((nic) => nic.network === id)).map(({ id }) => `warning: netdev ${id} has no peer`),
    ...nics.filter(({ network }) => network === null).map(({ id }) => `warning: nic ${id} has no peer`),
  ];
}

class NetworkBuilder {
  private readonly networks: { readonly id: string; readonly user: UserNetworkConfig }[] = [];
  private readonly nics: NicConfig[] = [];
  private readonly slots: Set<number>;
  /** How many cards have each of the default addresses, by their last byte. */
  private readonly macs = new Map<number, number>();
  private unnamed = 0;
  private readonly context: NetworkContext;

  constructor(context: NetworkContext) {
    this.context = context;
    this.slots = new Set(context.displaySlot === null ? BRIDGE_SLOTS : [...BRIDGE_SLOTS, context.displaySlot]);
  }

  netdev(text: string): void {
    const { rest, forwards } = splitForwards(text);
    const found = parseKeyValues('--netdev', rest, 'type');
    known('--netdev', found.type ?? '', ['user']);
    if (!found.id) throw new UserError('bad-option', `--netdev ${text}: Parameter 'id' is missing`);
    if (this.networks.some(({ id }) => id === found.id))
      throw new UserError('bad-option', `--netdev ${text}: Duplicate ID '${found.id}' for netdev`);
    this.networks.push({ id: found.id, user: userNetwork(`--netdev ${text}`, found, forwards, ['type', 'id']) });
  }

  /** `user,model=rtl8139,...` or `none`: card and network in one. */
  nic(text: string): void {
    if (text === 'none') return;
    const { rest, forwards } = splitForwards(text);
    const found = parseKeyValues('--nic', rest, 'type');
    known('--nic', found.type ?? '', ['user', 'none']);
    const own = ['type', 'id', 'model', 'mac', 'addr'];
    const user = userNetwork(`--nic ${text}`, found, forwards, own);
    this.model(`--nic ${text}`, found.model);
    const id = this.addNetwork(`--nic ${text}`, found.id, user);
    this.place(`--nic ${text}`, { mac: found.mac, addr: found.addr, network: id });
  }

  /** `-net nic` and `-net user`: one of each, connected to each other; or a card with its network given by netdev=. */
  legacy(texts: readonly string[]): void {
    const wanted = texts.filter((text) => text !== 'none').map((text) => ({ text, ...splitForwards(text) }));
    const parsed = wanted.map(({ text, rest, forwards }) => ({ text, forwards, found: parseKeyValues('--net', rest, 'type') }));
    for (const { text, found } of parsed) {
      known('--net', found.type ?? '', ['none', 'nic', 'user']);
      if (parsed.filter((p) => p.found.type === found.type && p.found.netdev === undefined).length > 1)
        throw new UserError('not-supported', `--net ${text}: only one of each kind is supported; use --netdev and --device`);
    }
    let shared: string | null = null;
    for (const { text, found, forwards } of parsed.filter((p) => p.found.type === 'user'))
      shared = this.addNetwork(
        `--net ${text}`,
        found.id ?? found.name,
        userNetwork(`--net ${text}`, found, forwards, ['type', 'id', 'name']),
      );
    for (const { text, found } of parsed.filter((p) => p.found.type === 'nic')) {
      onlyKeys('--net nic', found, ['type', 'id', 'name', 'netdev', 'macaddr', 'model', 'addr']);
      this.model(`--net ${text}`, found.model);
      const network = found.netdev === undefined ? shared : this.cable(`--net ${text}`, found.netdev);
      this.place(`--net ${text}`, { mac: found.macaddr, addr: found.addr, network, id: found.id ?? found.name });
    }
  }

  /** A card; or another device, which may take a slot as well. */
  device(text: string): void {
    if (/^(driver=)?(piix3-usb-uhci|AC97)(,|$)/.test(text)) this.reserve(parseKeyValues('--device', text, 'driver').addr);
    if (!isNic(text)) return;
    const given = `--device ${text}`;
    const found = parseKeyValues('--device', text, 'driver');
    onlyKeys(`--device ${MODEL}`, found, DEVICE_PROPERTIES);
    known(`${given}: bus`, found.bus ?? 'pci.0', ['pci.0']);
    known(`${given}: multifunction`, found.multifunction ?? 'off', ['off']);
    known(`${given}: rombar`, found.rombar ?? '1', ['1', 'on']);
    if (found.id !== undefined && this.nics.some(({ id }) => id === found.id))
      throw new UserError('bad-option', `${given}: Duplicate ID '${found.id}' for device`);
    this.place(given, { ...found, network: found.netdev === undefined ? null : this.cable(given, found.netdev) });
  }

  /** The filters number the networks, in their order; networks without one come behind them. */
  finish(objects: readonly string[]): NetworkParts {
    const filters = new Map<string, string>();
    for (const text of objects) {
      const { id, netdev } = this.filter(text);
      if (filters.has(id)) throw new UserError('bad-option', `--object ${text}: Duplicate ID '${id}' for object`);
      if ([...filters.values()].includes(netdev))
        throw new UserError(
          'not-supported',
          `--object ${text}: netdev ${netdev} has a filter already, and a second one could not be replayed`,
        );
      filters.set(id, netdev);
    }
    const numbered = [...filters].map(([filter, netdev]) => ({ ...this.networks.find(({ id }) => id === netdev)!, filter }));
    const others = this.networks.filter(({ id }) => ![...filters.values()].includes(id)).map((network) => ({ ...network, filter: null }));
    const networks = [...numbered, ...others].map(({ id, filter, user }) => ({ id, filter, user }));
    if (networks.length > MAX_NETWORKS) throw new UserError('not-supported', `--netdev: more than ${MAX_NETWORKS} networks`);
    const { nics } = this;
    return { ...(nics.length === 0 ? {} : { nics }), ...(networks.length === 0 ? {} : { networks }) };
  }

  private filter(text: string): { readonly id: string; readonly netdev: string } {
    const found = parseKeyValues('--object', text, 'qom-type');
    known('--object', found['qom-type'] ?? '', ['filter-replay']);
    onlyKeys('--object filter-replay', found, ['qom-type', 'id', 'netdev']);
    const { id, netdev } = found;
    if (!id) throw new UserError('bad-option', `--object ${text}: Parameter 'id' is missing`);
    if (netdev === undefined) throw new UserError('bad-option', `--object ${text}: Parameter 'netdev' is missing`);
    if (!this.networks.some((network) => network.id === netdev))
      throw new UserError('bad-option', `--object ${text}: Parameter 'netdev' expects a network backend id`);
    return { id, netdev };
  }

  /** QEMU's default is a card that is not there. */
  private model(given: string, model: string | undefined): void {
    if (model === undefined) throw new UserError('not-supported', `${given}: give model=${MODEL}, there is no other network card yet`);
    if (model !== MODEL) refuseLackingDevice(given, model);
    known(`${given}: model`, model, [MODEL]);
  }

  private addNetwork(given: string, named: string | undefined, user: UserNetworkConfig): string {
    const id = named ?? `user.${this.unnamed++}`;
    if (this.networks.some((network) => network.id === id)) throw new UserError('bad-option', `${given}: Duplicate ID '${id}' for netdev`);
    this.networks.push({ id, user });
    return id;
  }

  private cable(given: string, network: string): string {
    if (!this.networks.some(({ id }) => id === network))
      throw new UserError('bad-option', `${given}: Property '${MODEL}.netdev' can't find value '${network}'`);
    if (this.nics.some((nic) => nic.network === network))
      throw new UserError('bad-option', `${given}: Property '${MODEL}.netdev' can't take value '${network}', it's in use`);
    return network;
  }

  private place(
    given: string,
    found: {
      readonly [name in 'mac' | 'addr' | 'id' | 'romfile' | 'bootindex']?: string | undefined;
    } & { readonly network: string | null },
  ): void {
    const { recorded } = this.context;
    const rom = found.romfile ?? (recorded === null ? this.defaultRom() : (recorded[this.nics.length]?.rom ?? null));
    const bootIndex =
      found.bootindex === undefined || found.bootindex === '-1' ? null : parseNumber(`${given}: bootindex`, found.bootindex, 2 ** 31 - 1);
    this.nics.push({
      model: MODEL,
      id: found.id ?? `${MODEL}.${this.nics.length}`,
      network: found.network,
      mac: this.mac(given, found.mac),
      slot: this.takeSlot(given, found.addr),
      rom: rom === '' ? null : rom,
      ...(bootIndex === null ? {} : { bootIndex }),
    });
  }

  /** Firmware runs it; without firmware nobody would. */
  private defaultRom(): string | null {
    const { bios, firmwareFolder } = this.context;
    if (bios === undefined) return null;
    const folders = [...(firmwareFolder === undefined ? [] : [firmwareFolder]), dirname(bios), ...ROM_FOLDERS];
    return folders.map((folder) => join(folder, ROM_FILE)).find((path) => existsSync(path)) ?? null;
  }

  private mac(given: string, text: string | undefined): string {
    const wanted = text === undefined ? null : parseMac(text);
    if (text !== undefined && wanted === null)
      throw new UserError('bad-option', `${given}: Property '${MODEL}.mac' doesn't take value '${text}'`);
    const chosen = wanted?.some((b) => b !== 0) ? wanted : Uint8Array.from([...DEFAULT_MAC, this.freeMac(given)]);
    if (DEFAULT_MAC.every((b, i) => chosen[i] === b)) this.macs.set(chosen[5]!, (this.macs.get(chosen[5]!) ?? 0) + 1);
    return formatMac(chosen);
  }

  private freeMac(given: string): number {
    for (let last = FIRST_MAC; last <= LAST_MAC; last++) if (!this.macs.has(last)) return last;
    throw new UserError('bad-option', `${given}: there is no free Ethernet address`);
  }

  /** For a device that is no card of ours, and whose options somebody else checks. */
  private reserve(text: string | undefined): void {
    const given = text === undefined ? Number.NaN : Number.parseInt(text, 16);
    for (let slot = 0; slot < PCI_SLOTS; slot++)
      if (text === undefined ? !this.slots.has(slot) : slot === given) {
        this.slots.add(slot);
        return;
      }
  }

  private takeSlot(given: string, text: string | undefined): number {
    const slot = text === undefined ? this.freeSlot(given) : pciSlot(given, text);
    if (this.slots.has(slot)) throw new UserError('bad-option', `${given}: PCI: slot ${slot} function 0 not available, it is in use`);
    this.slots.add(slot);
    return slot;
  }

  private freeSlot(given: string): number {
    for (let slot = 0; slot < PCI_SLOTS; slot++) if (!this.slots.has(slot)) return slot;
    throw new UserError('bad-option', `${given}: PCI: no slot/function available, all in use or reserved`);
  }
}
