import type { MessagePort } from 'node:worker_threads';
import { parseMac } from '../../devices/net/mac-address.js';
import { Rtl8139, type Rtl8139Options } from '../../devices/net/rtl8139.js';
import type { Session } from '../../replay/session.js';
import type { PacketBackend, PacketFrontend } from '../core/nondet.js';
import type { MachineConfig } from './config.js';
import { readInput } from './input-file.js';
import type { NicConfig } from './network-options.js';

/** What a machine says to the thread that serves a network: it begins to be live, or the guest sends a frame. */
export type NetworkMessage = 'live' | Uint8Array;

/** The key of a network's port in MachineConfig.channels. */
export function networkChannel(network: number): string {
  return `network-${network}`;
}

/** The networks that the cables of a machine's cards lead to, by the numbers of their filters. */
export class Networks {
  private readonly cards: (PacketFrontend | null)[];
  private readonly channels: (MessagePort | null)[];
  private readonly session: Session;
  private readonly config: MachineConfig;

  constructor(session: Session, config: MachineConfig) {
    this.session = session;
    this.config = config;
    const networks = config.networks ?? [];
    this.cards = networks.map(() => null);
    this.channels = networks.map((_, n) => config.channels?.get(networkChannel(n)) ?? null);
    if (session.live) for (const channel of this.channels) channel?.postMessage('live' satisfies NetworkMessage);
  }

  /** Makes a card and plugs its cable in. */
  makeCard(nic: NicConfig, board: Pick<Rtl8139Options, 'ports' | 'memory' | 'map' | 'clock'>): Rtl8139 {
    const network = this.config.networks?.findIndex(({ id }) => id === nic.network) ?? -1;
    const card = new Rtl8139({
      ...board,
      mac: parseMac(nic.mac)!,
      rom: nic.rom === null ? null : readInput('--device rtl8139,romfile', nic.rom, this.config.foundAt),
      romName: nic.rom ?? '',
      backend: network < 0 ? null : this.backend(network),
    });
    if (network >= 0) this.cards[network] = card;
    return card;
  }

  /** A frame from outside; false: there is no such network. One that no card is connected to swallows it. */
  receive(network: number, frame: Uint8Array): boolean {
    if (network >= this.cards.length) return false;
    this.cards[network]?.receive(frame);
    return true;
  }

  /** Nothing more is said: the channels belong to whoever made them, and may serve the next machine. */
  close(): void {
    this.channels.fill(null);
  }

  private backend(network: number): PacketBackend {
    return {
      send: (frame) => {
        if (this.session.live) this.channels[network]?.postMessage(frame.slice() satisfies NetworkMessage);
      },
    };
  }
}
