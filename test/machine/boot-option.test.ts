// Oracle: QEMU's manual page, -boot; its CMOS registers for the order, its words for wrong ones (7.2.22).
import { describe, expect, it } from 'vitest';
import { bootCmos } from '../../src/machine/boot-option.js';
import { configure } from '../../src/machine/config.js';

describe('--boot', () => {
  it('without it, or with -1, firmware waits for ever', () => {
    expect(configure({}).rebootTimeoutMs).toBeNull();
    expect(configure({ boot: 'reboot-timeout=-1' }).rebootTimeoutMs).toBeNull();
  });

  it('takes a time in milliseconds', () => {
    expect(configure({ boot: 'reboot-timeout=2500' }).rebootTimeoutMs).toBe(2500);
  });

  it('is not kept where it says what is so without it', () => {
    for (const boot of ['reboot-timeout=5', 'cad', 'order=cad,menu=off,strict=off'])
      expect('boot' in configure({ boot }), boot).toBe(false);
    expect(configure({ boot: 'c,menu=on' }).boot).toEqual({ order: 'c', once: null, menu: true, menuWaitMs: null, strict: false });
  });

  it('puts the order into nibbles of the CMOS RAM, until the first reset that of once=', () => {
    const { boot } = configure({ boot: 'order=nad,once=dc' });
    expect(bootCmos(boot)).toEqual([
      [0x3d, 0x23],
      [0x38, 0],
    ]);
    expect(bootCmos(boot, false)).toEqual([
      [0x3d, 0x14],
      [0x38, 0x30],
    ]);
    expect(bootCmos()).toEqual([
      [0x3d, 0x12],
      [0x38, 0x30],
    ]);
  });

  it.each([
    ['reboot-timeout=65536', '--boot reboot-timeout'],
    ['splash=x.png', 'splash= is not supported'],
    ['cax', "Invalid boot device 'x'"],
    ['order=cc', "Boot device 'c' was given twice"],
    ['cadn', 'Too many boot devices for PC'],
    ['once=e', "Invalid boot device for PC: 'e'"],
    ['menu=maybe', '--boot menu maybe: known are on, off'],
    ['colour=red', 'unknown property "colour"'],
  ])('%s is refused', (boot, why) => {
    expect(() => configure({ boot })).toThrow(why);
  });
});
