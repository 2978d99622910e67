// Oracle: self-consistency (a machine restored from any moment ends as the one that was never saved)
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { configure } from '../../src/machine/config.js';
import { restoreMachine, type SavedAreas, saveMachine } from '../../src/machine/saved-machine.js';
import { temporaryFolder } from '../cli.js';
import { record } from '../replay/scripted.js';
import { Replaying } from './replaying.js';

/** restored-anywhere.asm assembled (nasm -f bin). */
const CODE =
  '+i4PARYwAA8gwAwBDyLAZuo8AA8ACACQAAAAAAAAAAD//wAAAJvPAP//AAAAk88AFwAYAA8ABwQAMAEAZrgQAI7YjsCO0LwAgAAAxwUAAAEABxABAMcFBAABAAcgAQDHBQgAAQCHAAAAvwAQAQC4BwAAAKsFABAAAD0HAAIAcvO/wBMBALgHAA8Aq78AIAEAuAcAEACrBQAQAAA9BwARAHLzuM8BCACjADQBAKMgMAEAuACODwCjBDQBAKMkMAEADwEdNgAPAA8g4AwQDyLguAAAAQAPItgPIMANAAAAgA8iwMcFAPBAAP8FANDHBQTwQABAAMMAvwDwQAC9CAAAAKEAAEAAgyUAIAEAnwMFAABAAIktABBAAIMlBCABAJ+5AwAAAOsA/wUAEEAA4vgDBQAgQACBNQggAQAAEAAAAwUAIEAA98UCAAAAdAWjACBAAAMFACBAADHD/9eDJTwgAQDf/9e+ACABALkQAAAAa9sfAx6DxgTi9vfFAwAAAHUGAx0AAIAA98UBAAAAdRUPAT0AAEAA98UGAAAAdQYPINgPIthoAgABAGoIaLABDwDPkJDNgLB/BAHOkJCQTQ+FPf///4kdAJAAALAB5vTrCGvbHwNcJAjP9Ov9';
const JUMP_TO_START = [0xea, 0, 0, 0, 0xf0];
const MODES = ['off', 'on', 'force'] as const;

const folder = temporaryFolder();
const bios = join(folder, 'restored-anywhere.rom');
const rom = Buffer.alloc(0x10000);
Buffer.from(CODE, 'base64').copy(rom);
rom.set(JUMP_TO_START, 0xfff0);
writeFileSync(bios, rom);
const config = configure({ bios, memory: '4M', nodefaults: true, device: ['isa-debug-exit,iobase=0xf4,iosize=1'] });
const { log, final } = record(join(folder, 'restored-anywhere.rr'), config, '5.2', 100_000, []);
const replayed = { log, config, strict: true };

/** Areas of a machine that is restored where it stands, or takes over all memory of another. */
function areasOf(memory: Uint8Array | null): SavedAreas {
  return {
    *pages() {
      for (let at = 0; memory !== null && at < memory.length; at += 4096) yield [at / 4096, memory.subarray(at, at + 4096)];
    },
    chunks: () => [],
  };
}

it.each(MODES)('a guest that sees what TLBs hold does the same with translation %s', (jit) => {
  const plain = new Replaying(replayed, jit);
  plain.run(null);
  expect(plain.digest().total).toBe(final.digest);
  plain.close();
});

it.each(['off', 'force'] as const)(
  'it goes on as if nothing had happened when it is saved and restored again and again (translation %s)',
  (jit) => {
    const machine = new Replaying(replayed, jit);
    for (let at = 0; at < final.icount; at++) {
      machine.run(at);
      restoreMachine(machine.machine, machine.session, saveMachine(machine.machine, machine.session), areasOf(null));
    }
    machine.run(null);
    expect(machine.digest().total).toBe(final.digest);
    machine.close();
  },
);

it('it goes from machine to machine', () => {
  const machines = [new Replaying(replayed, 'off'), new Replaying(replayed, 'force')];
  for (let k = 1; k < 60; k++) {
    const [from, to] = [machines[k % 2]!, machines[(k + 1) % 2]!];
    from.run(Math.floor((final.icount * k) / 60));
    restoreMachine(to.machine, to.session, saveMachine(from.machine, from.session), areasOf(from.machine.memory.u8));
    machines[k % 2] = from;
  }
  const last = machines[0]!;
  last.run(null);
  expect(last.digest().total).toBe(final.digest);
  for (const m of machines) m.close();
});
