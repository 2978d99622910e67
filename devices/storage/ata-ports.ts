import type { IoHandlers } from '../../src/core/bus.js';
import type { AtaChannel } from './ata-channel.js';

/** The eight ports of a channel's command block: registers are bytes, the data port takes words and doublewords too. */
export function commandBlock(channel: AtaChannel): IoHandlers {
  return {
    name: 'ata-command',
    unaligned: true,
    read: (offset, size) => {
      if (size === 1) return channel.readRegister(offset);
      if (offset === 0) return channel.readData(size);
      if (size === 4) return 0xffffffff;
      return channel.readRegister(offset) | ((offset < 7 ? channel.readRegister(offset + 1) : 0xff) << 8);
    },
    write: (offset, value, size) => {
      if (size === 1) channel.writeRegister(offset, value);
      else if (offset === 0) channel.writeData(value, size);
      else if (size === 2) {
        channel.writeRegister(offset, value & 0xff);
        if (offset < 7) channel.writeRegister(offset + 1, value >>> 8);
      }
    },
  };
}
