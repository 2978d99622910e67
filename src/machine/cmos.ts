import type { RtcMc146818 } from '../../devices/timer/rtc-mc146818.js';
import { bootCmos } from './boot-option.js';
import type { MachineConfig } from './config.js';

const KIB = 1024;
const MIB = 1024 * KIB;
const BASE_MEMORY_KIB = 640;
const MAX_WORD = 0xffff;

/** Fills the CMOS RAM as the firmware of a PC expects it: memory sizes, equipment, boot order. Disk types are the IDE controller's business. */
export function configureCmos(rtc: RtcMc146818, config: MachineConfig): void {
  const word = (at: number, value: number): void => {
    rtc.setCmos(at, value & 0xff);
    rtc.setCmos(at + 1, value >>> 8);
  };
  word(0x15, BASE_MEMORY_KIB);
  const extended = Math.min(MAX_WORD, Math.max(0, config.memoryBytes / KIB - KIB));
  word(0x17, extended);
  word(0x30, extended);
  word(0x34, Math.min(MAX_WORD, Math.max(0, Math.floor((config.memoryBytes - 16 * MIB) / (64 * KIB)))));
  // One processor; nothing above 4 GiB.
  rtc.setCmos(0x5f, 0);
  for (const [register, value] of bootCmos(config.boot)) rtc.setCmos(register, value);
  // Equipment: coprocessor and PS/2 mouse.
  rtc.setCmos(0x14, 0x06);
}
