/** Register numbers and bits of the VGA by the IBM technical reference's names, as far as devices/display needs them. */

/** Sequencer registers. */
export const SR = {
  CLOCKING: 1,
  MAP_MASK: 2,
  CHARACTER_MAP: 3,
  MEMORY_MODE: 4,
} as const;

/** Graphics controller registers. */
export const GR = {
  SET_RESET: 0,
  ENABLE_SET_RESET: 1,
  COLOR_COMPARE: 2,
  ROTATE: 3,
  READ_MAP: 4,
  MODE: 5,
  MISC: 6,
  COLOR_DONT_CARE: 7,
  BIT_MASK: 8,
} as const;

/** Attribute controller registers. */
export const AR = {
  MODE: 0x10,
  PLANE_ENABLE: 0x12,
  COLOR_PAGE: 0x14,
} as const;

/** CRT controller registers. */
export const CR = {
  H_DISPLAY_END: 0x01,
  V_TOTAL: 0x06,
  OVERFLOW: 0x07,
  MAX_SCAN: 0x09,
  CURSOR_START: 0x0a,
  CURSOR_END: 0x0b,
  V_SYNC_END: 0x11,
  V_DISPLAY_END: 0x12,
  OFFSET: 0x13,
  MODE: 0x17,
  LINE_COMPARE: 0x18,
} as const;

/** SR.MEMORY_MODE: the two low address bits choose the plane. */
export const CHAIN_4 = 0x08;
