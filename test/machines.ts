/** The machines of the guests that several tests start, here and in QEMU: each list of options is here once. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GUEST_IMAGE_BASE64 } from '../src/cli/demo/guest-image.js';
import { RECORDINGS } from './cli.js';

/** Guests in test/recordings (NAME.bin, and what QEMU recorded of them). */
export type RecordedGuest = 't1' | 't2' | 't3' | 't4' | 't6' | 't7';

const WITHOUT_APIC: readonly RecordedGuest[] = ['t4', 't6', 't7'];
const cpuOf = (guest: RecordedGuest): string => (WITHOUT_APIC.includes(guest) ? 'qemu32,-apic' : 'max');
const biosOf = (guest: RecordedGuest): string => join(RECORDINGS, `${guest}.bin`);
const debugconOf = (backEnd: string): string => `${backEnd},iobase=0xe9`;
const T4_DEVICES = ['piix3-usb-uhci', 'usb-tablet'];

/** The machine on which a guest was recorded, as `configure` takes it. */
export function recordedMachine(guest: RecordedGuest) {
  const devices = guest === 't4' ? { serial: ['null'], device: T4_DEVICES } : { debugcon: debugconOf('null') };
  return { memory: '16M', nodefaults: true, noReboot: true, icount: 'shift=7', cpu: cpuOf(guest), bios: biosOf(guest), ...devices };
}

/** The same as options of the program. */
export function recordedOptions(guest: RecordedGuest, shift = 7, debugcon = 'null'): string[] {
  const devices =
    guest === 't4' ? ['--serial', 'null', ...T4_DEVICES.flatMap((name) => ['--device', name])] : ['--debugcon', debugconOf(debugcon)];
  const plain = ['--memory', '16M', '--nodefaults', '--no-reboot', '--icount', `shift=${shift}`];
  return [...plain, '--cpu', cpuOf(guest), '--bios', biosOf(guest), ...devices];
}

/** A PC that shows nothing and has no network, in QEMU's spelling. */
export const QEMU_PC = ['-M', 'pc', '-display', 'none', '-net', 'none'];

/** The machine on which a guest was recorded, in QEMU's spelling, without its debug console and its log. */
export function qemuRecordedOptions(guest: RecordedGuest): string[] {
  return [...QEMU_PC, '-cpu', cpuOf(guest), '-m', '16', '-nodefaults', '-no-reboot', '-bios', biosOf(guest)];
}

/** Writes a ROM of 64 KiB that starts with some code (`nasm -f bin`, in base64), where the processor jumps at first; gives its path. */
export function writeRom(path: string, code: string): string {
  const rom = Buffer.alloc(0x10000);
  Buffer.from(code, 'base64').copy(rom);
  // jmp 0xf000:0
  rom.set([0xea, 0, 0, 0, 0xf0], 0xfff0);
  writeFileSync(path, rom);
  return path;
}

/** Writes the demo guest into a folder; gives its path. */
export function demoKernel(folder: string): string {
  const kernel = join(folder, 'guest.bin');
  writeFileSync(kernel, Buffer.from(GUEST_IMAGE_BASE64, 'base64'));
  return kernel;
}

/** Writes the demo guest into a folder; gives the options of a machine for it in QEMU's spelling. t2.bin stands for a BIOS, which it does not need. */
export function qemuDemoOptions(folder: string): string[] {
  return [...QEMU_PC, '-m', '8', '-nodefaults', '-kernel', demoKernel(folder), '-bios', biosOf('t2')];
}
