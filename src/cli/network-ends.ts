import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { HostRequest } from '../../replay/host.js';
import { UserError } from '../core/errors.js';
import type { MachineConfig } from '../machine/config.js';
import type { NetworkConfig } from '../machine/network-options.js';
import { type NetworkMessage, networkChannel } from '../machine/networks.js';
import { NodeSockets } from '../net/node-sockets.js';
import { UserNetwork } from '../net/user-network.js';

/** Frames that wait for a machine which does not take them; further ones are lost, as on a wire. */
const MOST_WAITING = 1024;

/** Hands frames to the machine; settles when it has them. */
export type FrameTaker = (requests: readonly HostRequest[]) => Promise<unknown> | undefined;

/** The host's ends of a machine's networks, in the thread that has the sockets. A network begins with the first live machine: a replay never touches the host's. */
export class NetworkEnds {
  private readonly ends: NetworkEnd[];

  constructor({ networks = [], nics = [] }: MachineConfig) {
    this.ends = networks.flatMap((network, number) =>
      nics.some((nic) => nic.network === network.id) ? [new NetworkEnd(network, number)] : [],
    );
  }

  /** The machine with its networks connected to us. */
  connect(config: MachineConfig): MachineConfig {
    if (this.ends.length === 0) return config;
    const ports = this.ends.map((end) => [networkChannel(end.number), end.machineSide] as const);
    return { ...config, channels: new Map([...(config.channels ?? []), ...ports]) };
  }

  /** Begins all networks, for a machine that is live from its first instruction. Throws UserError when a forwarded port cannot be had. */
  async start(): Promise<void> {
    for (const end of this.ends) await end.start();
  }

  /** Serves the machine from now on. @param complain told when a network cannot begin, where that comes too late for an error */
  serve(take: FrameTaker, complain: (message: string) => void): void {
    for (const end of this.ends) end.serve(take, complain);
  }

  close(): void {
    for (const end of this.ends) end.close();
  }
}

class NetworkEnd {
  readonly number: number;
  readonly machineSide: MessagePort;
  private readonly port: MessagePort;
  private readonly config: NetworkConfig;
  private network: UserNetwork | null = null;
  private take: FrameTaker | null = null;
  private taking = false;
  private waiting: HostRequest[] = [];

  constructor(config: NetworkConfig, number: number) {
    const { port1, port2 } = new MessageChannel();
    this.config = config;
    this.number = number;
    this.port = port1;
    this.machineSide = port2;
  }

  async start(): Promise<void> {
    const { id, user } = this.config;
    this.network = new UserNetwork(user, new NodeSockets(), (frame) => this.fromNetwork(frame));
    try {
      await this.network.start();
    } catch (e) {
      const { message } = e as Error;
      throw new UserError('not-supported', `--netdev user,id=${id}: Could not set up a host forwarding rule: ${message}`);
    }
  }

  serve(take: FrameTaker, complain: (message: string) => void): void {
    this.take = take;
    this.port.on('message', (message: NetworkMessage) => {
      if (message !== 'live') this.network?.input(message);
      else if (this.network === null) this.start().catch((e: Error) => complain(e.message));
    });
    this.handOn();
  }

  close(): void {
    this.network?.close();
    this.network = null;
    this.take = null;
    this.port.close();
  }

  private fromNetwork(frame: Uint8Array): void {
    if (this.waiting.length >= MOST_WAITING) return;
    this.waiting.push({ kind: 'packet', network: this.number, frame });
    this.handOn();
  }

  /** What comes while the machine has not taken the frames before goes together. */
  private handOn(): void {
    if (this.taking || this.waiting.length === 0 || this.take === null) return;
    const frames = this.waiting;
    this.waiting = [];
    const taken = this.take(frames);
    if (taken === undefined) return;
    this.taking = true;
    void taken
      .catch(() => {})
      .then(() => {
        this.taking = false;
        this.handOn();
      });
  }
}
