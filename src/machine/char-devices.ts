import type { MessagePort } from 'node:worker_threads';
import type { Session } from '../../replay/session.js';
import type { CharBackend, CharFrontend } from '../core/nondet.js';
import { CharOutput } from './char-output.js';
import type { CharTarget } from './config.js';

interface CharDevice {
  readonly output: CharOutput;
  frontend: CharFrontend | null;
}

/** The character devices of a machine, numbered in the order in which they are made: serial ports, then the debug console. */
export class CharDevices {
  private readonly devices: CharDevice[] = [];
  private readonly session: Session;
  private readonly channels: ReadonlyMap<string, MessagePort>;

  constructor(session: Session, channels: ReadonlyMap<string, MessagePort> = new Map()) {
    this.session = session;
    this.channels = channels;
  }

  /** Makes the next device; its bytes go to `target` and into the log. */
  create(option: string, target: CharTarget): { index: number; backend: CharBackend } {
    const output = new CharOutput(option, target, target.kind === 'channel' ? (this.channels.get(target.id) ?? null) : null);
    const send = (bytes: Uint8Array): void => output.send(bytes);
    const index = this.devices.push({ output, frontend: null }) - 1;
    return { index, backend: { write: (bytes) => this.session.charWrite(bytes, send) } };
  }

  /** The guest's end of a device. */
  connect(index: number, frontend: CharFrontend): void {
    this.devices[index]!.frontend = frontend;
  }

  canReceive(index: number): number {
    return this.devices[index]?.frontend?.canReceive() ?? 0;
  }

  receive(index: number, bytes: Uint8Array): void {
    this.devices[index]?.frontend?.receive(bytes);
  }

  flush(): void {
    for (const d of this.devices) d.output.flush();
  }

  close(): void {
    for (const d of this.devices) d.output.close();
  }
}
