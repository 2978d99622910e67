// Oracle: manual (ACPI 1.0, section 4.7; Intel 82371AB data sheet); QEMU source behaviour (7.2.22) for what the manual leaves open
import { describe, expect, it } from 'vitest';
import { restoreState, saveState } from '../../src/core/save.js';
import { chipset } from './board.js';

const BASE = 0x600;

function powered() {
  const board = chipset();
  board.writeConfig(1, 3, 0x40, BASE | 1, 4);
  board.writeConfig(1, 3, 0x80, 1, 1);
  return board;
}

describe('ACPI power management', () => {
  it('decodes its ports at the PM base only while PMREGMISC bit 0 is set', () => {
    const board = chipset();
    board.writeConfig(1, 3, 0x40, BASE | 1, 4);
    expect(board.ports.read(BASE + 4, 2)).toBe(0xffff);
    board.writeConfig(1, 3, 0x80, 1, 1);
    expect(board.ports.read(BASE + 4, 2)).toBe(0);
    board.writeConfig(1, 3, 0x40, 0xb000 | 1, 4);
    expect(board.ports.read(BASE + 4, 2)).toBe(0xffff);
    expect(board.ports.read(0xb004, 2)).toBe(0);
    board.bus.reset();
    expect(board.ports.read(0xb004, 2)).toBe(0xffff);
  });

  it('counts 3579545 ticks a second in 24 bits', () => {
    const board = powered();
    board.advanceTo(1e9);
    expect(board.ports.read(BASE + 8, 4)).toBe(3579545);
    board.advanceTo(5e9);
    expect(board.ports.read(BASE + 8, 4)).toBe((3579545 * 5) % 0x1000000);
    expect(board.ports.read(BASE + 8, 2)).toBe((3579545 * 5) & 0xffff);
  });

  it('raises SCI when bit 23 of the timer changes and TMR_EN is set, and arms the next change when the status is cleared', () => {
    const board = powered();
    const sci = board.isaIrqs[9]!;
    board.advanceTo(1000);
    expect(board.ports.read(BASE, 2)).toBe(1);
    board.ports.write(BASE, 1, 2);
    expect(board.ports.read(BASE, 2)).toBe(0);
    board.ports.write(BASE + 2, 1, 2);
    expect(sci.level).toBe(false);
    const deadline = Math.floor((0x800000 * 1e9) / 3579545);
    expect(board.time.timers.deadline).toBe(deadline);
    board.advanceTo(deadline - 1);
    expect(sci.level).toBe(false);
    board.advanceTo(deadline);
    expect(sci.level).toBe(true);
    expect(board.time.timers.deadline).toBeNull();
    // The deadline is rounded down to a whole nanosecond, where the tick has not come yet: cleared now, the status would come back.
    board.advanceTo(deadline + 1);
    board.ports.write(BASE, 1, 2);
    expect(sci.level).toBe(false);
    expect(board.time.timers.deadline).toBe(Math.floor((0x1000000 * 1e9) / 3579545));
  });

  it('keeps its pending timer through save and restore', () => {
    const board = powered();
    board.advanceTo(1000);
    board.ports.write(BASE, 1, 2);
    board.ports.write(BASE + 2, 1, 2);
    const saved = saveState(board.pm);
    const other = chipset();
    restoreState(other.pm, saved);
    expect(other.time.timers.deadline).toBe(board.time.timers.deadline);
    expect(other.ports.read(BASE + 2, 2)).toBe(1);
  });

  it('turns off or sleeps by SLP_TYP when SLP_EN is written, which reads back as 0', () => {
    const board = powered();
    board.ports.write(BASE + 4, 0x2000, 2);
    board.ports.write(BASE + 4, 0x2401, 2);
    board.ports.write(BASE + 4, 0x2800, 2);
    board.ports.write(BASE + 4, 0x2c00, 2);
    expect(board.calls).toEqual(['power-off', 'suspend', 'power-off']);
    expect(board.ports.read(BASE + 4, 2)).toBe(0x0c00);
  });

  it('sets PWRBTN_STS and SCI for the power button only when enabled', () => {
    const board = powered();
    board.pm.acpi.pressPowerButton();
    expect(board.ports.read(BASE, 2) & 0x100).toBe(0);
    board.ports.write(BASE + 2, 0x100, 2);
    board.pm.acpi.pressPowerButton();
    expect(board.isaIrqs[9]!.level).toBe(true);
    board.ports.write(BASE, 0x100, 2);
    expect(board.isaIrqs[9]!.level).toBe(false);
  });

  it('enables ACPI by APM commands and passes others on as SMI when APMC_EN is set', () => {
    const board = powered();
    board.ports.write(0xb2, 0xf1, 1);
    expect(board.ports.read(BASE + 4, 2)).toBe(1);
    board.ports.write(0xb2, 0xf0, 1);
    expect(board.ports.read(BASE + 4, 2)).toBe(0);
    board.ports.write(0xb2, 0, 1);
    expect(board.calls).toEqual([]);
    board.writeConfig(1, 3, 0x5b, 2, 1);
    board.ports.write(0xb3, 1, 1);
    board.ports.write(0xb2, 0x55, 1);
    expect(board.calls).toEqual(['smi']);
    expect([board.ports.read(0xb2, 1), board.ports.read(0xb3, 1)]).toEqual([0x55, 1]);
  });

  it('raises SCI for an enabled general-purpose event', () => {
    const board = powered();
    board.pm.acpi.gpe[0] = 2;
    board.ports.write(0xafe2, 2, 1);
    expect(board.isaIrqs[9]!.level).toBe(true);
    board.ports.write(0xafe0, 2, 1);
    expect(board.isaIrqs[9]!.level).toBe(false);
  });

  it('reports a device error for SMBus addresses where nobody answers, and reads the EEPROMs', () => {
    const { ports } = chipset();
    const transfer = (address: number, command: number, control: number): number => {
      ports.write(0xb100, 0xff, 1);
      ports.write(0xb104, address, 1);
      ports.write(0xb103, command, 1);
      ports.write(0xb102, control, 1);
      const first = ports.read(0xb100, 1);
      expect(first & 1).toBe(1);
      return ports.read(0xb100, 1);
    };
    expect(transfer(0x21, 0, 0x48)).toBe(4);
    ports.write(0xb105, 0x5a, 1);
    expect(transfer(0xa2, 7, 0x48)).toBe(2);
    ports.write(0xb105, 0, 1);
    expect(transfer(0xa3, 7, 0x48)).toBe(2);
    expect(ports.read(0xb105, 1)).toBe(0x5a);
  });
});
