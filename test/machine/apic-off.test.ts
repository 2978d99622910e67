// Oracle: QEMU run (7.2.22)
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configure } from '../../src/machine/config.js';
import { temporaryFolder } from '../cli.js';
import { writeRom } from '../machines.js';
import { record } from '../replay/scripted.js';

/** apic-off.asm assembled (nasm -f bin), without the zeros behind its code. */
const CODE =
  'uAAQjtC8ABDoQwDoXwBmuRsAAAAPMiX/9w8w6E8A6C0AZrkbAAAADzINAAgPMOg8AOgaALA05nDkcTxadA2wNOZwsFrmcbD+5mT05vT0ZrgBAAAA6AYA' +
  'ZrgBAACAD6JmweoJgOIBiNAEMObpw2a5GwAAAA8yZsHoCCQPBGHm6cM=';

describe('the local APIC, switched off in IA32_APIC_BASE', () => {
  const dir = temporaryFolder();
  const bios = writeRom(join(dir, 'apic-off.rom'), CODE);

  it.each([
    ['qemu32', '10jb00b0000jb00b00'],
    ['qemu32,-apic', '00bb00b0000bb00b00'],
    ['max', '11jb01b0101jb01b01'],
    ['max,-apic', '00bb00b0000bb00b00'],
  ])('is not in CPUID any more and cannot be switched on again, CPUID not even by a reset (%s)', (cpu, expected) => {
    const out = join(dir, 'out.txt');
    const debugcon = `file:${out},iobase=0xe9`;
    const device = ['isa-debug-exit,iobase=0xf4,iosize=1'];
    record(join(dir, 'a.rr'), configure({ bios, cpu, memory: '8M', nodefaults: true, debugcon, device }), '5.2', 10_000_000, []);
    expect(readFileSync(out, 'latin1')).toBe(expected);
  });
});
