import { createHash } from 'node:crypto';
import { FileInput } from '../../replay/log/input.js';
import { HEADER_BYTES } from '../../replay/log/reader.js';
import type { MachineConfig } from './config.js';
import type { InputFile } from './input-paths.js';

/** Length of the first event of every log: CLOCK host, the date to the nanosecond. */
const FIRST_EVENT_BYTES = 9;

/**
 * What a recording is known by, wherever its files are: the machine as a guest sees it, the hashes of its inputs, and the first event of its log.
 * @returns SHA-256, hex
 */
export function recordingIdentity(log: string, config: MachineConfig, inputs: readonly Pick<InputFile, 'sha256'>[]): string {
  const { machine, acpi, hpet, cpu, apic, memoryBytes, append, vga, shift, rtcBase, rtcClock, devices, rebootTimeoutMs } = config;
  // What is absent, as in older recordings, is left out.
  const { boot } = config;
  const audio = config.audio === undefined ? undefined : { ...config.audio, target: undefined, source: undefined };
  const nics = config.nics?.map(({ model, mac, slot, rom, network, bootIndex }) => ({
    ...{ model, mac, slot, bootIndex, rom: rom !== null },
    network: network === null ? null : config.networks?.findIndex(({ id }) => id === network),
  }));
  const board = {
    ...{ machine, acpi, hpet, cpu, apic, memoryBytes, append, vga, shift, rtcBase, rtcClock, devices, rebootTimeoutMs, boot },
    ...{ audio, nics },
  };
  const drives = config.drives.map(({ format, interface: bus, index, bootIndex }) => ({ format, bus, index, bootIndex }));
  const ports = { serial: config.serial.length, debugcon: config.debugcon?.ports ?? null };
  const start = Buffer.alloc(FIRST_EVENT_BYTES);
  const input = new FileInput(log);
  input.read(start, 0, start.length, HEADER_BYTES);
  input.close();
  const all = { board, drives, ports, inputs: inputs.map(({ sha256 }) => sha256), start: start.toString('hex') };
  return createHash('sha256').update(JSON.stringify(all)).digest('hex');
}
