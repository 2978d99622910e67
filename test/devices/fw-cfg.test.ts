// Oracle: manual (QEMU docs/specs/fw_cfg.rst; Linux include/uapi/linux/qemu_fw_cfg.h)
import { describe, expect, it } from 'vitest';
import { FW_CFG, FwCfg } from '../../devices/firmware/fw-cfg.js';
import { describePc } from '../../devices/firmware/pc-fw-cfg.js';
import { restoreState, saveState } from '../../src/core/save.js';
import { chipset } from './board.js';

const DESCRIPTOR = 0x1000;
const TARGET = 0x2000;

function firmware() {
  const board = chipset();
  const fwCfg = new FwCfg(board.ports, board.memory);
  const read = (key: number, length: number): number[] => {
    board.ports.write(0x510, key, 2);
    return Array.from({ length }, () => board.ports.read(0x511, 1));
  };
  const dma = (control: number, length: number, address: number, high = 0): number => {
    const bytes = new Uint8Array(16);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, control);
    view.setUint32(4, length);
    view.setUint32(8, high);
    view.setUint32(12, address);
    board.memory.writeBytes(DESCRIPTOR, bytes);
    const swapped = new DataView(new ArrayBuffer(4));
    swapped.setUint32(0, DESCRIPTOR);
    board.ports.write(0x514, 0, 4);
    board.ports.write(0x518, swapped.getUint32(0, true), 4);
    board.memory.readBytes(DESCRIPTOR, bytes);
    return view.getUint32(0);
  };
  return { ...board, fwCfg, read, dma };
}

describe('firmware configuration device', () => {
  it('gives the signature, its features and zeros behind the end of an item', () => {
    const { read } = firmware();
    expect(String.fromCharCode(...read(FW_CFG.SIGNATURE, 4))).toBe('QEMU');
    expect(read(FW_CFG.ID, 6)).toEqual([3, 0, 0, 0, 0, 0]);
    expect(read(0x1f, 2)).toEqual([0, 0]);
    expect(read(0x3fff, 2)).toEqual([0, 0]);
  });

  it('selects only with words, and reads data only by bytes', () => {
    const { ports } = firmware();
    ports.write(0x510, 0, 2);
    ports.write(0x510, 1, 1);
    ports.write(0x510, 1, 4);
    expect(ports.read(0x510, 2)).toBe(0);
    expect(ports.read(0x511, 1)).toBe(0x51);
  });

  it('shows the DMA signature at its port', () => {
    const { ports } = firmware();
    expect([ports.read(0x514, 4), ports.read(0x518, 4), ports.read(0x519, 1)]).toEqual([0x554d4551, 0x47464320, 0x43]);
  });

  it('keeps files in the order of their names and replaces a file of the same name', () => {
    const { fwCfg, read } = firmware();
    fwCfg.addFile('etc/b', new Uint8Array([1]));
    fwCfg.addFile('etc/B', new Uint8Array([2, 2]));
    fwCfg.addFile('etc/a', new Uint8Array([3, 3, 3]));
    fwCfg.addFile('etc/a', new Uint8Array([4]));
    const directory = read(FW_CFG.FILE_DIR, 4 + 3 * 64);
    expect(directory.slice(0, 4)).toEqual([0, 0, 0, 3]);
    const entries = [0, 1, 2].map((i) => directory.slice(4 + i * 64, 68 + i * 64));
    expect(entries.map((e) => String.fromCharCode(...e.slice(8, 14)))).toEqual(['etc/B\0', 'etc/a\0', 'etc/b\0']);
    expect(entries.map((e) => [e[3], e[5]])).toEqual([
      [2, 0x20],
      [1, 0x21],
      [1, 0x22],
    ]);
    expect([read(0x20, 1), read(0x21, 1), read(0x22, 1)]).toEqual([[2], [4], [1]]);
  });

  it('moves items to memory by DMA: select, skip, read, zeros behind the end', () => {
    const { fwCfg, dma, memory } = firmware();
    fwCfg.addFile('data', new Uint8Array([1, 2, 3, 4, 5]));
    memory.writeBytes(TARGET, new Uint8Array(8).fill(0xee));
    expect(dma((0x20 << 16) | 0x08, 0, 0)).toBe(0);
    expect(dma(0x04, 2, 0)).toBe(0);
    expect(dma(0x02, 5, TARGET)).toBe(0);
    const out = new Uint8Array(8);
    memory.readBytes(TARGET, out);
    expect([...out]).toEqual([3, 4, 5, 0, 0, 0xee, 0xee, 0xee]);
  });

  it('reports an error for writes and for targets that are not memory, however long', () => {
    const { dma } = firmware();
    expect(dma((0x01 << 16) | 0x18, 4, TARGET)).toBe(1);
    expect(dma((0x01 << 16) | 0x0a, 4, 0xfffffffe)).toBe(1);
    expect(dma((0x01 << 16) | 0x0a, 4, TARGET, 1)).toBe(1);
    expect(dma((0x3f << 16) | 0x0a, 0xffffffff, 0xe0000000)).toBe(1);
  });

  it('continues an item where it was after a restore', () => {
    const { fwCfg, read, ports } = firmware();
    read(FW_CFG.SIGNATURE, 2);
    const saved = saveState(fwCfg);
    fwCfg.reset();
    restoreState(fwCfg, saved);
    expect(ports.read(0x511, 1)).toBe('M'.charCodeAt(0));
  });

  it('describes RAM and processors of the board', () => {
    const { fwCfg, read } = firmware();
    describePc(fwCfg, {
      ramBytes: 64 << 20,
      lowRamBytes: 64 << 20,
      nographic: true,
      hpet: true,
      rebootTimeoutMs: null,
      bootMenu: false,
      menuWaitMs: null,
      bootOrder: new Uint8Array(0),
      acpi: true,
      cpuVersion: 0x663,
      cpuFeatures: 0x781abfd,
    });
    expect(read(FW_CFG.RAM_SIZE, 8)).toEqual([0, 0, 0, 4, 0, 0, 0, 0]);
    expect(read(FW_CFG.NB_CPUS, 2)).toEqual([1, 0]);
    expect(read(FW_CFG.NOGRAPHIC, 2)).toEqual([1, 0]);
  });
});
