import { UserError } from '../core/errors.js';
import { replayedAudio } from '../machine/audio-options.js';
import { type CharTarget, configure, type MachineArguments, type MachineConfig } from '../machine/config.js';
import { describeInputs, locateInputs, namedInputs, renamedInputs, withPaths } from '../machine/input-paths.js';
import type { Job } from '../machine/job.js';
import { readSidecar, type Sidecar, sidecarPath } from '../machine/sidecar.js';
import { snapshotFile } from '../machine/snapshot-files.js';
import { type SessionArguments, untilIcount } from './session-options.js';

/** What commands that replay a recording are told. */
export interface ReplayArguments extends MachineArguments, SessionArguments {
  readonly log: string;
}

/** The replay that the arguments ask for: of the machine in LOG.json, if there is one. */
export function replayJob(args: ReplayArguments): Omit<Job, 'control'> {
  const sidecar = readSidecar(args.log);
  const { snapshots, ...config } = sidecar === null ? configure(args) : configFromSidecar(sidecar, args);
  const store = snapshotFile(args.log, snapshots?.file ?? null, sidecar);
  return {
    kind: 'replay',
    config,
    snapshots: { store, given: (snapshots?.file ?? null) !== null, first: snapshots?.first ?? null, last: null },
    inputs: sidecar === null ? describeInputs(config, args.log) : sidecar.inputs,
    log: args.log,
    logFormat: sidecar?.logFormat ?? '5.2',
    until: untilIcount(args.until),
    jit: args.jit,
    screenshot: args.screenshot !== undefined,
    strict: sidecar !== null,
    final: sidecar?.final ?? null,
  };
}

/** Which parts of a configuration each option decides. Back-ends of character devices may differ, their number may not. */
const DECIDED_BY: readonly (readonly [keyof MachineArguments, readonly (keyof MachineConfig)[]])[] = [
  ['machine', ['machine', 'acpi', 'hpet']],
  ['cpu', ['cpu', 'apic']],
  ['memory', ['memoryBytes']],
  ['bios', ['bios']],
  ['vgabios', ['vgabios']],
  ['kernel', ['kernel']],
  ['initrd', ['initrd']],
  ['append', ['append']],
  ['firmwareFolder', ['linuxRom']],
  ['drive', ['drives']],
  ['nodefaults', ['vga']],
  ['icount', ['shift']],
  ['rtc', ['rtcBase', 'rtcClock']],
  ['device', ['devices', 'nics']],
  ['noReboot', ['noReboot']],
  ['boot', ['rebootTimeoutMs', 'boot']],
];

function configFromSidecar(sidecar: Sidecar, args: ReplayArguments): MachineConfig {
  const recorded = sidecar.machine;
  const asGiven = configure({ kernel: args.initrd ?? args.append, ...args } as MachineArguments, recorded);
  const renamed = renamedInputs(recorded, sidecar.inputs, asGiven);
  const recordedName = new Map([...renamed].map(([was, is]) => [is, was]));
  const given = withPaths(asGiven, (path) => recordedName.get(path) ?? path);
  for (const [option, fields] of DECIDED_BY) {
    if (args[option] === undefined || saysNothing(option, args, given)) continue;
    for (const field of fields) {
      const was = JSON.stringify(recorded[field] ?? null);
      const is = JSON.stringify(given[field] ?? null);
      if (was !== is)
        throw new UserError(
          'option-mismatch',
          `--${option === 'noReboot' ? 'no-reboot' : option} gives ${field} = ${is}, but ${sidecarPath(args.log)} says ${was}; leave the option out to use the recorded machine`,
        );
    }
  }
  checkHashes(sidecar, args.log);
  const foundAt = locateInputs(args.log, sidecar.inputs, renamed);
  const { snapshots } = given;
  return {
    ...recorded,
    ...(snapshots === undefined ? {} : { snapshots }),
    foundAt,
    ...networksOf(recorded, args, given),
    serial: serialTargets(recorded, args, given),
    debugcon: debugconTarget(recorded, args, given),
    ...(recorded.audio === undefined ? {} : { audio: replayedAudio(recorded.audio, args.audiodev ?? []) }),
  };
}

/** An option that is there only for snapshots: `--drive` of nothing but the image that keeps them, `--icount` without a shift. */
function saysNothing(option: keyof MachineArguments, { icount }: MachineArguments, given: MachineConfig): boolean {
  if (option === 'drive') return given.drives.length === 0 && (given.snapshots?.file ?? null) !== null;
  return option === 'icount' && icount !== undefined && !/^\w+(,|$)|(^|,)shift=/.test(icount);
}

/** A file that LOG.json names without its hash could be anything. */
function checkHashes({ machine, inputs }: Sidecar, log: string): void {
  for (const { option, path } of namedInputs(machine))
    if (!inputs.some((input) => input.option === option && input.path === path))
      throw new UserError('sidecar-corrupt', `${sidecarPath(log)} names ${option} ${path} without its SHA-256`);
}

/** What the host's networks are like may differ, for a machine that goes live; which there are may not. */
function networksOf(recorded: MachineConfig, args: ReplayArguments, given: MachineConfig): Pick<MachineConfig, 'networks'> {
  if (args.netdev === undefined && args.nic === undefined && given.networks === undefined) return {};
  const ids = (of: MachineConfig): string => JSON.stringify((of.networks ?? []).map(({ id }) => id));
  if (ids(given) !== ids(recorded))
    throw new UserError('option-mismatch', `--netdev gives the networks ${ids(given)}, but the recorded machine has ${ids(recorded)}`);
  return given.networks === undefined ? {} : { networks: given.networks };
}

/** Without new back-ends a replay shows what went to the terminal, and never writes over files of the recording. */
function quietTarget(target: CharTarget, json: boolean): CharTarget {
  return target.kind === 'stdio' && !json ? target : { kind: 'null' };
}

function serialTargets(recorded: MachineConfig, args: ReplayArguments, given: MachineConfig): readonly CharTarget[] {
  if (args.serial === undefined) return recorded.serial.map((t) => quietTarget(t, args.json ?? false));
  if (given.serial.length !== recorded.serial.length)
    throw new UserError(
      'option-mismatch',
      `--serial is given ${given.serial.length} times, but the recorded machine has ${recorded.serial.length} serial ports`,
    );
  return given.serial;
}

function debugconTarget(recorded: MachineConfig, args: ReplayArguments, given: MachineConfig): MachineConfig['debugcon'] {
  if (args.debugcon === undefined)
    return recorded.debugcon === null ? null : { ...recorded.debugcon, target: quietTarget(recorded.debugcon.target, args.json ?? false) };
  const ports = JSON.stringify(recorded.debugcon?.ports);
  if (recorded.debugcon === null || JSON.stringify(given.debugcon?.ports) !== ports)
    throw new UserError(
      'option-mismatch',
      `--debugcon differs: the recorded machine has ${recorded.debugcon === null ? 'no debug console' : `one at ports ${ports}`}`,
    );
  return given.debugcon;
}
