import { existsSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { UserError } from '../core/errors.js';
import type { MachineConfig } from './config.js';
import { hashFile } from './hash-file.js';

/** A file the machine was made from, as it was when recorded. */
export interface InputFile {
  readonly option: string;
  /** As the command line said it: a guest may see it. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Where it was, seen from the folder of the log. */
  readonly fromLog?: string;
  readonly absolute?: string;
}

/** The modules of `--initrd FILE[ ARGUMENTS][,FILE...]`. */
export function initrdModules(initrd: string | null): { readonly file: string; readonly text: string }[] {
  return (initrd ?? '')
    .split(',')
    .filter((text) => text !== '')
    .map((text) => ({ text, file: text.split(' ')[0]! }));
}

/** All files a configuration names, with the option of each. */
export function namedInputs(config: MachineConfig): { readonly option: string; readonly path: string }[] {
  const one = (option: string, path: string | null) => (path === null ? [] : [{ option, path }]);
  return [
    ...one('--bios', config.bios),
    ...one('--vgabios', config.vgabios),
    ...one('--kernel', config.kernel),
    ...initrdModules(config.initrd).map(({ file }) => ({ option: '--initrd', path: file })),
    ...one('-L', config.linuxRom),
    ...romsOf(config).map((path) => ({ option: '--device rtl8139,romfile', path })),
    ...config.drives.flatMap((drive) => [drive, ...(drive.backing ?? [])]).map(({ file }) => ({ option: '--drive', path: file })),
  ];
}

/** The ROMs of the network cards, each once. */
function romsOf({ nics = [] }: MachineConfig): string[] {
  return [...new Set(nics.flatMap(({ rom }) => (rom === null ? [] : [rom])))];
}

/** A configuration with other names for its files. */
export function withPaths(config: MachineConfig, rename: (path: string) => string): MachineConfig {
  const renamed = <T extends { readonly file: string }>(image: T): T => ({ ...image, file: rename(image.file) });
  const orNull = (path: string | null): string | null => (path === null ? null : rename(path));
  return {
    ...config,
    bios: orNull(config.bios),
    vgabios: orNull(config.vgabios),
    kernel: orNull(config.kernel),
    linuxRom: orNull(config.linuxRom),
    initrd:
      config.initrd === null
        ? null
        : initrdModules(config.initrd)
            .map(({ file, text }) => rename(file) + text.slice(file.length))
            .join(','),
    ...(config.nics === undefined ? {} : { nics: config.nics.map((nic) => ({ ...nic, rom: orNull(nic.rom) })) }),
    drives: config.drives.map((d) => ({ ...renamed(d), ...(d.backing === undefined ? {} : { backing: d.backing.map(renamed) }) })),
  };
}

/** What LOG.json keeps of the files that a configuration names. */
export function describeInputs(config: MachineConfig, log: string): InputFile[] {
  const folder = dirname(resolve(log));
  return namedInputs(config).map(({ option, path }) => {
    const absolute = resolve(path);
    return { ...hashFile(option, path), fromLog: relative(folder, absolute), absolute };
  });
}

/**
 * Finds the files of a recording: at the same place seen from the log (its folder may have been moved as a whole), then where they were.
 * A file with the recorded SHA-256 is the right one. Throws UserError when there is none.
 * @param given places that the command line of the replay gives for recorded paths
 * @param hints places to look at first
 * @returns where each recorded path is now
 */
export function locateInputs(
  log: string,
  inputs: readonly InputFile[],
  given: ReadonlyMap<string, string>,
  hints: ReadonlyMap<string, string> = new Map(),
): ReadonlyMap<string, string> {
  const folder = dirname(resolve(log));
  return new Map(inputs.map((input) => [input.path, given.get(input.path) ?? locate(folder, input, hints.get(input.path))]));
}

function locate(folder: string, input: InputFile, hint: string | undefined): string {
  const places = new Set([
    ...(hint === undefined ? [] : [hint]),
    resolve(folder, input.fromLog ?? input.path),
    input.absolute ?? resolve(input.path),
  ]);
  let changed: UserError | null = null;
  for (const place of places) {
    if (!existsSync(place)) continue;
    const { sha256 } = hashFile(input.option, place);
    if (sha256 === input.sha256) return place;
    changed ??= new UserError(
      'option-mismatch',
      `${input.option} ${place} has changed since the recording: SHA-256 ${sha256.slice(0, 16)}..., recorded ${input.sha256.slice(0, 16)}...`,
    );
  }
  throw (
    changed ??
    new UserError(
      'file-not-found',
      `${input.option} ${[...places].join(' or ')}: not there; ${input.option} tells a replay where the file is now`,
    )
  );
}

/** Recorded paths whose file a replay's options name by another path, with that path: the bytes are the same. */
export function renamedInputs(recorded: MachineConfig, inputs: readonly InputFile[], given: MachineConfig): Map<string, string> {
  const found = new Map<string, string>();
  const now = namedInputs(given);
  for (const option of new Set(now.map((n) => n.option))) {
    const before = namedInputs(recorded).filter((n) => n.option === option);
    now
      .filter((n) => n.option === option)
      .forEach(({ path }, i) => {
        const was = before[i]?.path;
        if (was === undefined || was === path || !existsSync(path)) return;
        const { sha256 } = hashFile(option, path);
        if (inputs.some((input) => input.option === option && input.path === was && input.sha256 === sha256)) found.set(was, path);
      });
  }
  return found;
}
