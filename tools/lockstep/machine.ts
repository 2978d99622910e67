import { LogEventSource } from '../../replay/log/event-source.js';
import { ReplaySession } from '../../replay/replay-session.js';
import { configure } from '../../src/machine/config.js';
import { PcMachine } from '../../src/machine/pc.js';
import { type Firmware, type Guest, machineType } from './qemu.js';

/** Counts the exceptions of a step: each faulting attempt has a record of its own in QEMU's trace, but no instruction count. */
export class CountingSession extends ReplaySession {
  exceptions = 0;
  override exceptionRaised(vector: number): void {
    this.exceptions++;
    super.exceptionRaised(vector);
  }
}

/** Our machine at the beginning of a log of QEMU's. */
export interface Replay {
  readonly session: CountingSession;
  readonly machine: PcMachine;
  close(): void;
}

/** Builds the machine that QEMU runs the guest on, with QEMU's firmware configuration, about to replay the log. */
export function replayOf(guest: Guest, firmware: Firmware, log: string): Replay {
  const config = configure({
    machine: machineType(guest),
    cpu: guest.cpu,
    memory: `${guest.memoryMiB}M`,
    nodefaults: true,
    bios: guest.bios,
    debugcon: 'null,iobase=0xe9',
    icount: `shift=${guest.shift}`,
    noReboot: true,
  });
  const source = new LogEventSource(log);
  const session = new CountingSession(source, { shift: guest.shift, noReboot: true, strict: false });
  const machine = new PcMachine(config, session, 'off', (fwCfg) => {
    for (const [key, data] of firmware.items) fwCfg.addBytes(key, data);
    for (const [name, data] of firmware.files) fwCfg.addFile(name, data);
  });
  return {
    session,
    machine,
    close: () => {
      source.close();
      machine.close();
    },
  };
}
