import type { Ipv4Fragment, Ipv4Packet } from './ipv4.js';

/** The network as its protocols see it. Addresses are numbers. */
export interface Wire {
  /** The host as the guest sees it. */
  readonly hostAddress: number;
  /** Sends a packet to the guest. */
  send(packet: Ipv4Packet): void;
  /** Tells the sender of a packet that it was not delivered. @param code of ICMP's */
  refuse(packet: Ipv4Fragment, code: number): void;
  /** Where a guest's packet really goes to, dotted; null: to nobody. */
  outside(destination: number): string | null;
  /** As whom the guest sees an address of the host's world (dotted). */
  inside(address: string): number;
}
