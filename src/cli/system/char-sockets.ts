import type { Socket } from 'node:net';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { MachineThread } from '../../debug/machine-thread.js';
import type { MachineConfig } from '../../machine/config.js';
import { openSocketEnd, type SocketEnd } from '../socket-end.js';
import type { SocketOption } from '../socket-option.js';
import { TELNET_GREETING, TelnetInput, telnetOutput } from '../telnet.js';

/** What a client that does not read may have waiting for it, in bytes; more is lost, as on a line. */
const MAX_UNREAD = 1 << 20;

/** Serial ports on sockets: what the guest writes goes to who is connected, what comes from there to the guest. One client at a time. */
export class CharSockets {
  private readonly sockets: ReadonlyMap<number, SocketOption>;
  private readonly ports = new Map<number, MessagePort>();
  private readonly ends: SocketEnd[] = [];

  constructor(sockets: ReadonlyMap<number, SocketOption>) {
    this.sockets = sockets;
  }

  /** The machine with these ports connected to us. */
  connect(config: MachineConfig): MachineConfig {
    if (this.sockets.size === 0) return config;
    const channels = new Map<string, MessagePort>();
    const serial = config.serial.map((target, n) => {
      if (!this.sockets.has(n)) return target;
      const { port1, port2 } = new MessageChannel();
      port1.unref();
      this.ports.set(n, port1);
      channels.set(String(n), port2);
      return { kind: 'channel', id: String(n) } as const;
    });
    return { ...config, serial, channels };
  }

  /** Begins to serve. @param waiting told when nothing goes on before a client has connected. Throws UserError. */
  async open(machine: MachineThread, waiting: (address: string) => void): Promise<void> {
    for (const [n, wanted] of this.sockets) {
      let client: Socket | null = null;
      this.ports.get(n)!.on('message', (bytes: Uint8Array) => {
        if (client !== null && client.writableLength < MAX_UNREAD) client.write(wanted.telnet ? telnetOutput(bytes) : bytes);
      });
      const end = await openSocketEnd('-serial', wanted, 1, (socket) => {
        client = socket;
        socket.setNoDelay(true);
        socket.on('close', () => {
          client = null;
        });
        feed(machine, n, socket, wanted.telnet);
      });
      this.ends.push(end);
      if (!wanted.wait) continue;
      waiting(end.bound ?? '-serial');
      await Promise.race([end.connected, machine.ended]);
    }
  }

  close(): void {
    for (const end of this.ends) end.close();
    for (const port of this.ports.values()) port.close();
  }
}

/** Hands on what a client sends; it is not read while the machine has not taken that. */
function feed(machine: MachineThread, device: number, socket: Socket, telnet: boolean): void {
  const commands = new TelnetInput();
  if (telnet) socket.write(TELNET_GREETING);
  socket.on('data', (received) => {
    const bytes = new Uint8Array(telnet ? commands.take(received) : received);
    if (bytes.length === 0) return;
    socket.pause();
    void machine
      .call('input', { requests: [{ kind: 'chars', device, bytes }] })
      .catch(() => {})
      .then(() => socket.resume());
  });
}
