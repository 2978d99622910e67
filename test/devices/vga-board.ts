import { Vga } from '../../devices/display/vga.js';
import { VgaPci } from '../../devices/display/vga-pci.js';
import { chipset } from './board.js';

const VRAM_BYTES = 16 << 20;

/** The chipset with the display in slot 2, after reset. */
export function displayBoard() {
  const board = chipset(4 << 20, VRAM_BYTES);
  const { ports, memory, map } = board;
  const vga = new Vga({ ports, memory, map, vramOffset: memory.allocate(VRAM_BYTES), vramBytes: VRAM_BYTES });
  board.bus.attach(2, 0, new VgaPci({ vga, memory, map, rom: null }));
  board.bus.reset();
  vga.reset();
  return { ...board, vga };
}
