import type { IoHandlers, PortSpace } from '../../src/core/bus.js';
import type { Vga } from './vga.js';

/** First port and count of the register groups: colour and monochrome CRT controller and status, the rest. */
const PORTS = [
  [0x3b4, 2],
  [0x3ba, 1],
  [0x3c0, 16],
  [0x3d4, 2],
  [0x3da, 1],
] as const;
const DISPI_PORT = 0x1ce;
const DISPI_PORTS = 3;

/** Plugs the VGA registers in, and the Bochs display interface: index at 0x1ce, data at 0x1cf and 0x1d0. */
export function mapVgaPorts(vga: Vga, ports: PortSpace): void {
  for (const [first, count] of PORTS) ports.map(first, count, bytePorts(vga, first, count));
  ports.map(DISPI_PORT, DISPI_PORTS, {
    name: 'vbe',
    unaligned: true,
    read: (offset, size) => (size !== 2 ? 0xffffffff >>> (32 - size * 8) : offset === 0 ? vga.vbe.index : vga.vbe.read()),
    write: (offset, value, size) => {
      if (size !== 2) return;
      if (offset === 0) vga.vbe.index = value & 0xffff;
      else vga.vbe.write(value & 0xffff);
    },
  });
}

/** 16-bit accesses are two registers in a row, 32-bit ones are ignored. */
function bytePorts(vga: Vga, first: number, count: number): IoHandlers {
  return {
    name: 'vga',
    unaligned: true,
    read: (offset, size) => {
      if (size === 4) return 0xffffffff;
      const low = vga.readRegister(first + offset);
      if (size === 1) return low;
      return low | ((offset + 1 < count ? vga.readRegister(first + offset + 1) : 0xff) << 8);
    },
    write: (offset, value, size) => {
      if (size === 4) return;
      vga.writeRegister(first + offset, value & 0xff);
      if (size === 2 && offset + 1 < count) vga.writeRegister(first + offset + 1, value >>> 8);
    },
  };
}
