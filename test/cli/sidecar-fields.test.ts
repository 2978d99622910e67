// Oracle: self-consistency (every property of LOG.json is checked before a machine is made from it)
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/core/errors.js';
import { readSidecar, writeSidecar } from '../../src/machine/sidecar.js';
import { tinyQcow2 } from '../block/tiny-qcow2.js';
import { temporaryFolder } from '../cli.js';
import { demoGuest } from '../replay/scripted.js';

const dir = temporaryFolder();
const log = join(dir, 'a.rr');
writeFileSync(join(dir, 'base.img'), 'base');
writeFileSync(join(dir, 'top.qcow2'), tinyQcow2({ version: 3, sizeBytes: 4096, backing: { name: 'base.img' } }).bytes);
const sound = { device: ['AC97,addr=5'], audiodev: ['wav,id=a,in.path=b'] };
const machine = demoGuest(dir, {
  ...sound,
  debugcon: 'null',
  drive: [`file=${join(dir, 'top.qcow2')}`],
  serial: ['file:out.txt', 'stdio'],
});
const inputs = [{ option: '--kernel', path: 'x', bytes: 1, sha256: 'y' }];
writeSidecar(log, { machine, inputs, logFormat: '5.2', final: { icount: 1, events: 2, digest: 'd', log: 'l' } });
const good = readFileSync(`${log}.json`, 'utf8');

type Tree = { [name: string]: unknown };

/** Paths of all properties of a value. */
function paths(value: unknown): string[][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [[name], ...paths(inner).map((rest) => [name, ...rest])]);
}

function replaced(path: readonly string[], value: unknown): string {
  const tree = JSON.parse(good) as Tree;
  const holder = path.slice(0, -1).reduce((at, name) => at[name] as Tree, tree);
  holder[path.at(-1)!] = value;
  return JSON.stringify(tree);
}

/** What recordings of earlier versions do not say. */
const LATER = { acpi: true, hpet: true, linuxRom: null, rebootTimeoutMs: null };
/** Absent is fine only for these. */
const OPTIONAL = [
  ...['final', 'inputs.0.bytes', 'machine.drives.0.backing', 'machine.devices.0.slot', 'machine.audio', 'machine.audio.source'],
  ...Object.keys(LATER).map((name) => `machine.${name}`),
];

describe('LOG.json', () => {
  it('is read as it was written', () => {
    expect(readSidecar(log)).toMatchObject({ machine, inputs, logFormat: '5.2' });
  });

  it('of an earlier version means the defaults by what it does not say', () => {
    const tree = JSON.parse(good) as { machine: Tree };
    for (const name of Object.keys(LATER)) delete tree.machine[name];
    writeFileSync(`${log}.json`, JSON.stringify(tree));
    expect(readSidecar(log)!.machine).toEqual({ ...machine, ...LATER });
  });

  it.each(paths(JSON.parse(good)).map((p) => [p.join('.'), p] as const))('with another kind of value as %s is refused', (name, path) => {
    for (const value of [undefined, { a: 1 }, [[]], -1.5, 'nonsense', true]) {
      writeFileSync(`${log}.json`, replaced(path, value));
      const was = path.reduce<unknown>((at, n) => (at as Tree)[n], JSON.parse(good));
      const same = typeof value === typeof was && typeof value !== 'object' && typeof value !== 'number';
      // Free text may be any text; null (absent file) any text as well.
      if (name === 'inputs.0.bytes' || (value === undefined && OPTIONAL.includes(name))) continue;
      if (same || (was === null && typeof value === 'string')) continue;
      expect(() => readSidecar(log), `${name} = ${JSON.stringify(value)}`).toThrow(UserError);
    }
  });
});
