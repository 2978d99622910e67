import { acpiFiles } from '../../devices/firmware/acpi/acpi-tables.js';
import { setA20Gate } from '../../jit/x86/a20.js';
import type { Cpu } from '../../jit/x86/cpu.js';
import { CS, DS, EBP, EBX, EDI, EIP, ES, ESI, FS, GS, SS } from '../../jit/x86/regs.js';
import { loadSegmentCache, updateMode } from '../../jit/x86/segments.js';
import { UserError } from '../core/errors.js';
import type { PhysicalMemory } from '../memory/physical.js';
import type { PortMap } from '../memory/ports.js';
import { placeAcpi } from './acpi-placing.js';
import type { MachineConfig } from './config.js';
import { acpiBoard } from './firmware.js';
import { HDR, type LinuxImage } from './linux-image.js';

/** Linux, Documentation/arch/x86/zero-page.rst: offsets in the boot parameters. */
const E820_ENTRIES = 0x1e8;
const E820_TABLE = 0x2d0;
const PARAMS_BYTES = 4096;
/** The end of the header, as far as its own length byte says. */
const HEADER_LENGTH_AT = 0x201;
/** The first protocol with a 32-bit entry that needs nothing of the real-mode part. */
const OLDEST_PROTOCOL = 0x203;
const USABLE = 1;
const RESERVED = 2;
const LOW_END = 0x9fc00;
const FIRMWARE_BASE = 0xf0000;
const HIGH_BASE = 0x100000;
const TABLES_BYTES = 0x20000;
/** A descriptor table with the selectors that the boot protocol names. */
const GDT_BASE = 0x9000;
const BOOT_CS = 0x10;
const BOOT_DS = 0x18;
const CODE_32 = 0xcf9b00;
const DATA_32 = 0xcf9300;
const CR0_PE = 1;
/** Chipset registers as PC firmware sets them: function, register, value (32 bits). */
const PM_PORTS = 0x600;
const PIIX3 = 1 << 11;
const PIIX4_PM = (1 << 11) | (3 << 8);
const CHIPSET = [
  // PCI interrupt lines A to D at IRQ 10, 10, 11, 11
  [PIIX3, 0x60, 0x0b0b0a0a],
  [PIIX4_PM, 0x40, PM_PORTS | 1],
  [PIIX4_PM, 0x80, 1],
  [PIIX4_PM, 0x90, 0x701],
] as const;
const ELCR_HIGH = 0x4d1;
const LEVEL_10_11 = 0x0c;
/** 8042: write the command byte; keyboard interrupt on, self-test passed, scan codes translated to set 1. */
const KEYBOARD_COMMAND_BYTE = [
  [0x64, 0x60],
  [0x60, 0x45],
] as const;

/** Starts Linux without firmware, by its 32-bit boot protocol (Documentation/arch/x86/boot.rst, "32-bit Boot Protocol"). */
export class LinuxDirect {
  private readonly image: LinuxImage;
  private readonly config: MachineConfig;
  private readonly memory: PhysicalMemory;
  private readonly ports: PortMap;

  constructor(image: LinuxImage, config: MachineConfig, memory: PhysicalMemory, ports: PortMap) {
    if (image.protocol < OLDEST_PROTOCOL || image.kernelAddress !== HIGH_BASE)
      throw new UserError('not-supported', `--kernel ${config.kernel}: so old a Linux starts only through firmware; give --bios`);
    this.image = image;
    this.config = config;
    this.memory = memory;
    this.ports = ports;
  }

  /** Does what firmware and boot loader leave behind, and puts the processor at the kernel's entry. */
  start(cpu: Cpu): void {
    const { image, memory } = this;
    this.setUpChipset();
    memory.writeBytes(image.kernelAddress, image.kernel);
    memory.writeBytes(image.cmdlineAddress, image.cmdline);
    if (image.initrd !== null) memory.writeBytes(image.initrdAddress, image.initrd);
    memory.writeBytes(image.setupAddress, this.bootParameters());
    if (this.config.acpi)
      placeAcpi(memory, acpiFiles(acpiBoard(this.config), PM_PORTS), this.config.memoryBytes - TABLES_BYTES, FIRMWARE_BASE);
    this.enter(cpu);
  }

  private setUpChipset(): void {
    for (const [address, register, value] of this.config.acpi ? CHIPSET : CHIPSET.slice(0, 1)) {
      this.ports.write(0xcf8, 0x80000000 | address | register, 4);
      this.ports.write(0xcfc, value, 4);
    }
    this.ports.write(ELCR_HIGH, LEVEL_10_11, 1);
    for (const [port, value] of KEYBOARD_COMMAND_BYTE) this.ports.write(port, value, 1);
  }

  /** The zero page: the header of the file and a memory map. */
  private bootParameters(): Uint8Array {
    const { setup } = this.image;
    const params = new Uint8Array(PARAMS_BYTES);
    params.set(setup.subarray(HDR.SETUP_SECTS, HEADER_LENGTH_AT + 1 + setup[HEADER_LENGTH_AT]!), HDR.SETUP_SECTS);
    const view = new DataView(params.buffer);
    const end = this.config.memoryBytes;
    const ranges = [
      [0, LOW_END, USABLE],
      [LOW_END, 0xa0000, RESERVED],
      [FIRMWARE_BASE, HIGH_BASE, RESERVED],
      [HIGH_BASE, end - TABLES_BYTES, USABLE],
      [end - TABLES_BYTES, end, RESERVED],
    ] as const;
    params[E820_ENTRIES] = ranges.length;
    ranges.forEach(([first, behind, type], i) => {
      const at = E820_TABLE + 20 * i;
      view.setUint32(at, first, true);
      view.setUint32(at + 8, behind - first, true);
      view.setUint32(at + 16, type, true);
    });
    return params;
  }

  private enter(cpu: Cpu): void {
    const { image, memory } = this;
    const gdt = new DataView(new ArrayBuffer(32));
    gdt.setBigUint64(BOOT_CS, 0x00cf9b000000ffffn, true);
    gdt.setBigUint64(BOOT_DS, 0x00cf93000000ffffn, true);
    memory.writeBytes(GDT_BASE, new Uint8Array(gdt.buffer));
    cpu.gdtBase = GDT_BASE;
    cpu.gdtLimit = 31;
    setA20Gate(cpu, true);
    cpu.cr0 |= CR0_PE;
    loadSegmentCache(cpu, CS, BOOT_CS, 0, -1, CODE_32);
    for (const s of [DS, ES, FS, GS, SS]) loadSegmentCache(cpu, s, BOOT_DS, 0, -1, DATA_32);
    for (const r of [EBX, EBP, EDI]) cpu.r[r] = 0;
    cpu.r[ESI] = image.setupAddress;
    cpu.r[EIP] = new DataView(image.setup.buffer).getUint32(HDR.CODE32_START, true);
    updateMode(cpu);
  }
}
