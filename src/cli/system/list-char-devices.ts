import type { CharDeviceInfo } from '../../monitor/char-devices.js';
import type { ListenAddress } from '../listen.js';
import { isSocketText, parseSocketText, type SocketOption } from '../socket-option.js';
import type { CharEnd } from './char-devices.js';
import type { Given } from './qemu-options.js';

/** Character devices as a command line makes them, by QEMU's labels. */
export function listCharDevices(given: Given, chardevs: ReadonlyMap<string, CharEnd>): CharDeviceInfo[] {
  const used = new Set<string>();
  const own: CharDeviceInfo[] = [];
  let serial = 0;
  let monitors = 0;
  for (const [option, value] of given) {
    const isMonitor = option === 'monitor' || option === 'qmp';
    const label = option === 'serial' ? `serial${serial++}` : isMonitor ? `compat_monitor${monitors++}` : option;
    if (value.startsWith('chardev:')) used.add(value.slice(8));
    else if (option === 'device') used.add(/,chardev=([^,]+)/.exec(value)?.[1] ?? '');
    else if (option === 'mon') used.add(/(?:^|,)(?:chardev=)?([^,=]+)/.exec(value)?.[1] ?? '');
    else if ((option === 'serial' || isMonitor || option === 'debugcon' || option === 'gdb') && value !== 'none')
      own.push({ label, filename: nameOf(option, value.replace(/^mon:/, '')), open: true });
  }
  const named = [...chardevs].map(([label, end]) => ({
    label,
    filename: end.kind === 'text' ? kindOf(end.text) : addressOf(end.socket),
    open: used.has(label),
  }));
  return [...named, ...own];
}

function nameOf(option: string, text: string): string {
  if (option === 'gdb') return `${text},server=on`;
  return isSocketText(text) ? addressOf(parseSocketText(`-${option}`, text)) : kindOf(text);
}

/** `file:PATH` is `file`, `null,iobase=...` is `null`. */
function kindOf(text: string): string {
  return /^[^:,]*/.exec(text)![0];
}

function addressOf({ address, server }: SocketOption): string {
  return `${spelled(address)}${server ? ',server=on' : ''}`;
}

function spelled(address: ListenAddress | { readonly kind: 'fd'; readonly fd: number }): string {
  if (address.kind === 'fd') return `fd:${address.fd}`;
  return address.kind === 'unix' ? `unix:${address.path}` : `tcp:${address.host}:${address.port}`;
}
