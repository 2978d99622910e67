import { formatMac } from '../../devices/net/mac-address.js';
import { Rtl8139 } from '../../devices/net/rtl8139.js';
import type { NetworkConfig } from './network-options.js';
import type { PcMachine } from './pc.js';

/** Network cards and networks, as QEMU's `info network` shows them. */
export function describeNetworks(machine: PcMachine): string[] {
  const { nics = [], networks = [] } = machine.config;
  const cards = Object.values(machine.parts).filter((part) => part instanceof Rtl8139);
  return [
    ...networks.filter(({ id }) => !nics.some((nic) => nic.network === id)).flatMap((network) => networkLines(network)),
    ...nics.flatMap(({ id, model, network }, n) => {
      const card = `${id}: index=0,type=nic,model=${model},macaddr=${formatMac(cards[n]!.station)}`;
      const plugged = networks.find((other) => other.id === network);
      const [first = '', ...more] = plugged === undefined ? [] : networkLines(plugged);
      return plugged === undefined ? [card] : [card, ` \\ ${first}`, ...more];
    }),
  ];
}

function networkLines({ id, filter, user }: NetworkConfig): string[] {
  const line = `${id}: index=0,type=user,net=${user.network},restrict=${user.restrict ? 'on' : 'off'}`;
  if (filter === null) return [line];
  return [line, 'filters:', `  - ${filter}: type=filter-replay,position=tail,status=on,insert=behind,netdev=${id},queue=all`];
}
