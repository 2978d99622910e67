/**
 * What the monitor says about itself: EDID 1.4 with one CTA-861 extension (VESA E-EDID standard), as QEMU's default "QEMU Monitor"
 * (1280x800 preferred), followed by zeros up to the size of the register window.
 */
const BLOCKS = [
  '00ffffffffffff0049143412000000002a180104a520147806ee91a3544c9926',
  '0f5054210800e1c0d1c0d100a940b300950081808140ea2900c051201c304026',
  '444045cb10000018000000f7000a004082002820000000000000000000fd0032',
  '7d1ea0ff010a202020202020000000fc0051454d55204d6f6e69746f720a013a',
  '02030b00467d6560591f61000000100000000000000000000000000000000000',
  '1000000000000000000000000000000000001000000000000000000000000000',
  '0000000010000000000000000000000000000000000010000000000000000000',
  '000000000000000010000000000000000000000000000000000000000000002f',
];
const WINDOW_BYTES = 384;

/** The EDID window of the display's register BAR. */
export function monitorEdid(): Uint8Array {
  const edid = new Uint8Array(WINDOW_BYTES);
  BLOCKS.join('')
    .match(/../g)!
    .forEach((byte, i) => {
      edid[i] = Number.parseInt(byte, 16);
    });
  return edid;
}
