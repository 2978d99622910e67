import type { StateSchema } from '../../src/core/state.js';
import type { PcMemoryMap, WindowView } from './pc-memory-map.js';
import { overlaps, PCI_FIELDS, PciDevice } from './pci-device.js';

const PAM = 0x59;
const PAM_BYTES = 7;
const SMRAM = 0x72;
const SMRAM_D_OPEN = 0x40;
const SMRAM_G_SMRAME = 0x08;
/** QEMU's own: RAM size in units of 8 MiB, for old coreboot. */
const COREBOOT_RAM_SIZE = 0x57;

/** By the two bits of a PAM field: 0 reads and writes go to PCI; 1 reads RAM; 2 and 3 RAM. QEMU does not split 2 into reads and writes. */
const PAM_VIEWS: readonly WindowView[] = ['pci', 'ram-read-only', 'ram', 'ram'];

/**
 * 82441FX host bridge (Intel 290549, sections 3.2.18 PAM and 3.2.21 SMRAM): decides what the processor sees between 640 KiB and 1 MiB.
 * As in QEMU, the registers survive a system reset and SMRAM.D_LCK locks nothing.
 */
export class I440fx extends PciDevice {
  readonly schema: StateSchema = { name: 'i440fx', version: 1, fields: { ...PCI_FIELDS, smmActive: 'bool' } };
  /** The processor is in system management mode. */
  smmActive = false;
  private readonly pamWindows: readonly ((view: WindowView) => void)[];
  private readonly smramWindow: (view: WindowView) => void;

  constructor(map: PcMemoryMap, ramBytes: number) {
    super({ vendorId: 0x8086, deviceId: 0x1237, revision: 2, classCode: 0x060000 });
    this.config[SMRAM] = 0x02;
    this.config[COREBOOT_RAM_SIZE] = Math.min(255, Math.floor(ramBytes / (8 << 20)));
    const pam = [map.addWindow(0xf0000, 0x10000)];
    for (let base = 0xc0000; base < 0xf0000; base += 0x4000) pam.push(map.addWindow(base, 0x4000));
    this.pamWindows = pam;
    this.smramWindow = map.addWindow(0xa0000, 0x20000);
    this.updateWindows();
  }

  reset(): void {}

  /** The processor enters or leaves system management mode. */
  setSmm(active: boolean): void {
    this.smmActive = active;
    this.updateSmram();
  }

  protected override configWritten(address: number, length: number): void {
    if (overlaps(address, length, PAM, PAM_BYTES) || overlaps(address, length, SMRAM, 1)) this.updateWindows();
  }

  override afterRestore(): void {
    super.afterRestore();
    this.updateWindows();
  }

  private updateWindows(): void {
    this.pamWindows.forEach((setView, i) => {
      const register = this.config[PAM + ((i + 1) >> 1)]!;
      setView(PAM_VIEWS[(register >> (i & 1 ? 0 : 4)) & 3]!);
    });
    this.updateSmram();
  }

  private updateSmram(): void {
    const smram = this.config[SMRAM]!;
    const open = (smram & SMRAM_D_OPEN) !== 0 || (this.smmActive && (smram & SMRAM_G_SMRAME) !== 0);
    this.smramWindow(open ? 'ram' : 'pci');
  }
}
