// Oracle: QEMU's manual, -boot reboot-timeout, and SeaBIOS's romfile etc/boot-fail-wait.
import { describe, expect, it } from 'vitest';
import { configure } from '../../src/machine/config.js';

describe('--boot', () => {
  it('without it, or with -1, firmware waits for ever', () => {
    expect(configure({}).rebootTimeoutMs).toBeNull();
    expect(configure({ boot: 'reboot-timeout=-1' }).rebootTimeoutMs).toBeNull();
  });

  it('takes a time in milliseconds', () => {
    expect(configure({ boot: 'reboot-timeout=2500' }).rebootTimeoutMs).toBe(2500);
  });

  it('refuses what it does not know', () => {
    expect(() => configure({ boot: 'reboot-timeout=65536' })).toThrow('--boot reboot-timeout');
    expect(() => configure({ boot: 'splash=x.png' })).toThrow('unknown property "splash"');
  });
});
