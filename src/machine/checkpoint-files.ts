import { KnownPages } from '../../replay/checkpoints/known-pages.js';
import type { MachineConfig } from './config.js';
import type { InputFile } from './input-paths.js';

/** The store of a recording's checkpoints. */
export function checkpointsPath(log: string): string {
  return `${log}.checkpoints`;
}

/** Where the inputs of a recording are now, in LOG.json's order. */
export function inputPlaces(config: MachineConfig, inputs: readonly Pick<InputFile, 'path'>[]): string[] {
  return inputs.map(({ path }) => config.foundAt?.get(path) ?? path);
}

/** The pages of a recording's inputs. */
export function knownPages(config: MachineConfig, inputs: readonly Pick<InputFile, 'path'>[]): KnownPages {
  return new KnownPages(inputPlaces(config, inputs));
}
