/** A port of the host that leads to one of the guest's. Addresses are dotted. */
export interface PortForward {
  readonly protocol: 'tcp' | 'udp';
  readonly hostAddress: string;
  readonly hostPort: number;
  readonly guestAddress: string;
  readonly guestPort: number;
}

/** A network behind address translation, as `-netdev user` describes it (QEMU's manual page). Addresses are dotted. */
export interface UserNetworkConfig {
  readonly network: string;
  /** Bits of the network's prefix. */
  readonly prefix: number;
  /** The host as the guest sees it, which is gateway and DHCP server, too. */
  readonly host: string;
  readonly dns: string;
  /** The first of the addresses that DHCP gives. */
  readonly dhcpStart: string;
  /** The guest reaches nobody outside; who comes by a forwarded port reaches the guest. */
  readonly restrict: boolean;
  /** What DHCP says of names; null: nothing. */
  readonly hostname: string | null;
  readonly domain: string | null;
  readonly forwards: readonly PortForward[];
}
