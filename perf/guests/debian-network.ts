/** A Linux guest that fetches a file from its host, and is called from there: busybox and Debian's driver for the RTL8139C+. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { link, makeBusyboxGuest, script } from './busybox.js';
import { filesOfCpio } from './cpio.js';
import { DEBIAN_I386 } from './debian.js';

/** Where the guest waits to be called. */
export const GUEST_PORT = 7777;

const MODULES = ['mii.ko', 'ethernet/realtek/8139cp.ko'];
const APPLETS = ['insmod', 'ip', 'udhcpc', 'wget', 'sha1sum', 'ping', 'ls', 'nc'];

const LEASE = `#!/bin/sh
case "$1" in
bound) ip addr add $ip/24 dev $interface; ip route add default via $router; echo "guest: lease $ip $subnet $router $dns $lease";;
esac
`;

/** Loads the driver, asks for an address, pings its host, fetches http://10.0.2.2:PORT/file (port=PORT is on the kernel's command line), and waits for somebody to talk to at GUEST_PORT. */
const SCRIPT = `for m in mii 8139cp; do insmod /modules/$m.ko; done
ip link set lo up
ip link set eth0 up
udhcpc -i eth0 -f -q -n -s /lease
ping -c 2 10.0.2.2
wget -q -O /tmp/file http://10.0.2.2:$(sed 's/.*port=\\([0-9]*\\).*/\\1/' /proc/cmdline)/file
sha1sum /tmp/file
echo "said by the guest" | nc -l -p ${GUEST_PORT}
ip addr show dev eth0
dmesg | sed 's/^[^]]*] //' | grep -e 8139 -e eth0
poweroff -f
`;

/** Writes linux and initrd into the folder, for rdinit=/run. */
export function makeNetworkGuest(folder: string): { kernel: string; initrd: string } {
  const archive = gunzipSync(readFileSync(join(DEBIAN_I386, 'initrd.gz')));
  const version = /lib\/modules\/([\w.-]+)\/modules\.dep/.exec(archive.toString('latin1'))![1]!;
  const paths = MODULES.map((name) => `lib/modules/${version}/kernel/drivers/net/${name}`);
  const modules = [...filesOfCpio(archive, paths)].map(([path, data]) => ({
    name: `modules/${path.split('/').at(-1)}`,
    mode: 0o644,
    data,
  }));
  return makeBusyboxGuest(folder, [
    ...APPLETS.map((name) => link(`bin/${name}`, 'busybox')),
    { name: 'modules', mode: 0o755, data: null },
    ...modules,
    { name: 'lease', mode: 0o755, data: Buffer.from(LEASE) },
    script('run', SCRIPT),
  ]);
}
