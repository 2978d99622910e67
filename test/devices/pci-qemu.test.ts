// Oracle: QEMU run (7.2.22): a ROM that sends configuration space and firmware configuration to port 0xe9
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { FwCfg } from '../../devices/firmware/fw-cfg.js';
import { describePc } from '../../devices/firmware/pc-fw-cfg.js';
import { PATIENCE_MS, requireTool } from '../tools.js';
import { chipset } from './board.js';

/**
 * For each doubleword of devfn 0 to 31: out 0xcf8, in 0xcfc, four bytes to 0xe9. Then of fw_cfg 2052 bytes of key 0x19, and 64 bytes each of
 * keys 0-0x3f and 0x8000-0x8007, and the DMA signature. Ends through port 0xf4.
 */
const CODE =
  'fa66bb000000806689d8baf80c66efbafc0c66ede867006683c3046681fb0020008072e3b8190066b904080000e83f0031db89d866b940000000e832' +
  '004383fb4072efbb008089d866b940000000e81e004381fb088072eeba140566ede81e00ba180566ede81600baf400eef4ebfeba1005efba1105ece6' +
  'e9664975f6c3e6e966c1e808e6e966c1e808e6e966c1e808e6e9c3';
const FUNCTIONS = 32;

function qemuDump(): Buffer {
  const dir = mkdtempSync(join(tmpdir(), 'palindrome-pci-'));
  try {
    const rom = Buffer.alloc(0x10000);
    Buffer.from(CODE, 'hex').copy(rom);
    Buffer.from('ea000000f0', 'hex').copy(rom, 0xfff0);
    writeFileSync(join(dir, 'rom'), rom);
    const args = `-M pc -m 4 -nodefaults -vga std -display none -bios ${dir}/rom -debugcon file:${dir}/out -device isa-debug-exit,iobase=0xf4`;
    try {
      execFileSync('qemu-system-i386', [...args.split(' '), '-parallel', 'null', '-serial', 'null'], {
        stdio: 'ignore',
        timeout: PATIENCE_MS,
      });
    } catch (error) {
      // isa-debug-exit always ends with an odd status.
      if ((error as { status?: number }).status == null) throw error;
    }
    return readFileSync(join(dir, 'out'));
  } finally {
    rmSync(dir, { recursive: true });
  }
}

describe.skipIf(!requireTool('qemu-system-i386', 'qemu-system-x86'))('against QEMU', () => {
  let dump: Buffer;
  beforeAll(() => {
    dump = qemuDump();
  });
  const board = chipset();
  const fwCfg = new FwCfg(board.ports, board.memory);
  describePc(fwCfg, {
    ramBytes: 4 << 20,
    lowRamBytes: 4 << 20,
    nographic: false,
    hpet: true,
    rebootTimeoutMs: null,
    bootMenu: false,
    menuWaitMs: null,
    bootOrder: new Uint8Array(0),
    acpi: true,
    cpuVersion: 0x663,
    cpuFeatures: 0x781abfd,
  });
  board.bus.reset();
  fwCfg.reset();

  it('has the same configuration space after reset', () => {
    const present = [
      [0, 0],
      [1, 0],
      [1, 3],
    ] as const;
    for (const [slot, fn] of present) {
      const ours = Buffer.from(Array.from({ length: 256 }, (_, at) => board.readConfig(slot, fn, at, 1)));
      const devfn = slot * 8 + fn;
      expect(ours.toString('hex'), `function ${slot}.${fn}`).toBe(dump.subarray(devfn * 256, devfn * 256 + 256).toString('hex'));
    }
  });

  const item = (key: number): Buffer => {
    board.ports.write(0x510, key, 2);
    return Buffer.from(Array.from({ length: 64 }, () => board.ports.read(0x511, 1)));
  };
  const directoryAt = FUNCTIONS * 256;
  const itemsAt = directoryAt + 2052;

  it('has the same items without a name', () => {
    const keys = [...Array(0x19).keys(), ...Array.from({ length: 8 }, (_, i) => 0x8000 + i)];
    for (const key of keys) {
      const at = itemsAt + (key < 0x8000 ? key : key - 0x8000 + 0x40) * 64;
      expect(item(key).toString('hex'), `key ${key.toString(16)}`).toBe(dump.subarray(at, at + 64).toString('hex'));
    }
  });
});
