import type { AccessSize, PortSpace } from '../../src/core/bus.js';
import { InvariantError } from '../../src/core/errors.js';
import type { Device, StateSchema } from '../../src/core/state.js';
import { NOT_MEMORY, PAGE_SIZE, type PhysicalMemory } from '../../src/memory/physical.js';

/** Selector keys (QEMU docs/specs/fw_cfg: "Selector Register"; the kernel's include/uapi/linux/qemu_fw_cfg.h). */
export const FW_CFG = {
  SIGNATURE: 0x00,
  ID: 0x01,
  UUID: 0x02,
  RAM_SIZE: 0x03,
  NOGRAPHIC: 0x04,
  NB_CPUS: 0x05,
  KERNEL_ADDR: 0x07,
  KERNEL_SIZE: 0x08,
  KERNEL_CMDLINE: 0x09,
  INITRD_ADDR: 0x0a,
  INITRD_SIZE: 0x0b,
  NUMA: 0x0d,
  BOOT_MENU: 0x0e,
  MAX_CPUS: 0x0f,
  KERNEL_ENTRY: 0x10,
  KERNEL_DATA: 0x11,
  INITRD_DATA: 0x12,
  CMDLINE_ADDR: 0x13,
  CMDLINE_SIZE: 0x14,
  CMDLINE_DATA: 0x15,
  SETUP_ADDR: 0x16,
  SETUP_SIZE: 0x17,
  SETUP_DATA: 0x18,
  FILE_DIR: 0x19,
  ACPI_TABLES: 0x8000,
  IRQ0_OVERRIDE: 0x8002,
  HPET: 0x8004,
} as const;

const FILE_FIRST = 0x20;
const FILE_SLOTS = 0x20;
const DIRECTORY_ENTRY_BYTES = 64;
const MAX_NAME_BYTES = 55;
const ARCH_LOCAL = 0x8000;
const ENTRY_MASK = 0x3fff;
const INVALID = 0xffff;

const DMA_ERROR = 0x01;
const DMA_READ = 0x02;
const DMA_SKIP = 0x04;
const DMA_SELECT = 0x08;
const DMA_WRITE = 0x10;
const DMA_SIGNATURE = new TextEncoder().encode('QEMU CFG');
const ZEROS = new Uint8Array(PAGE_SIZE);

interface FwCfgFile {
  readonly name: string;
  data: Uint8Array;
  /** Called whenever the guest selects the file; may change the bytes of `data`. */
  readonly onSelect?: () => void;
}

/** The firmware configuration device (QEMU docs/specs/fw_cfg): items by key, a directory of named files, selector and data at 0x510/0x511, DMA at 0x514. */
export class FwCfg implements Device {
  readonly schema: StateSchema = {
    name: 'fw-cfg',
    version: 1,
    fields: { entry: 'u16', offset: 'u32', dmaHigh: 'u32' },
  };
  /** Selected key, or 0xffff. */
  entry = 0;
  /** Bytes of the item read so far. */
  offset = 0;
  /** High half of the next DMA descriptor's address. */
  dmaHigh = 0;
  private readonly items = new Map<number, Uint8Array>();
  private readonly files: FwCfgFile[] = [];
  private readonly memory: PhysicalMemory;

  constructor(ports: PortSpace, memory: PhysicalMemory) {
    this.memory = memory;
    this.addBytes(FW_CFG.SIGNATURE, new TextEncoder().encode('QEMU'));
    this.addInteger(FW_CFG.ID, 3, 4);
    ports.map(0x510, 2, {
      name: 'fw-cfg',
      read: (_offset, size) => (size === 1 ? this.readByte() : 0),
      write: (_offset, value, size) => {
        if (size === 2) this.select(value);
      },
    });
    ports.map(0x514, 8, {
      name: 'fw-cfg-dma',
      read: readSignature,
      write: (offset, value, size) => this.writeDma(offset, value, size),
    });
  }

  reset(): void {
    this.select(FW_CFG.SIGNATURE);
  }

  /** Sets the item of a key. */
  addBytes(key: number, data: Uint8Array): void {
    this.items.set(key, data);
  }

  /** Sets an item to a little-endian integer of `width` bytes. */
  addInteger(key: number, value: number, width: 2 | 4 | 8): void {
    const data = new Uint8Array(8);
    new DataView(data.buffer).setBigUint64(0, BigInt(value), true);
    this.addBytes(key, data.slice(0, width));
  }

  /** Sets an item to ASCII text with a closing NUL. */
  addString(key: number, text: string): void {
    this.addBytes(key, new TextEncoder().encode(`${text}\0`));
  }

  /** Adds or replaces a file. The directory is kept in the order of the names' bytes. */
  addFile(name: string, data: Uint8Array, onSelect?: () => void): void {
    const known = this.files.find((f) => f.name === name);
    if (known !== undefined) known.data = data;
    else {
      if (name.length > MAX_NAME_BYTES || this.files.length === FILE_SLOTS) throw new InvariantError(`fw_cfg has no room for ${name}`);
      this.files.push(onSelect === undefined ? { name, data } : { name, data, onSelect });
      this.files.sort((a, b) => (a.name < b.name ? -1 : 1));
    }
    this.buildDirectory();
  }

  private buildDirectory(): void {
    const directory = new Uint8Array(4 + FILE_SLOTS * DIRECTORY_ENTRY_BYTES);
    const view = new DataView(directory.buffer);
    view.setUint32(0, this.files.length);
    this.files.forEach((file, i) => {
      const at = 4 + i * DIRECTORY_ENTRY_BYTES;
      view.setUint32(at, file.data.length);
      view.setUint16(at + 4, FILE_FIRST + i);
      directory.set(new TextEncoder().encode(file.name), at + 8);
      this.items.set(FILE_FIRST + i, file.data);
    });
    this.items.set(FW_CFG.FILE_DIR, directory);
  }

  private select(key: number): void {
    this.offset = 0;
    this.entry = (key & ENTRY_MASK) >= FILE_FIRST + FILE_SLOTS ? INVALID : key;
    if (this.entry !== INVALID && (key & ARCH_LOCAL) === 0) this.files[(key & ENTRY_MASK) - FILE_FIRST]?.onSelect?.();
  }

  private selected(): Uint8Array | undefined {
    return this.entry === INVALID ? undefined : this.items.get(this.entry & (ENTRY_MASK | ARCH_LOCAL));
  }

  private readByte(): number {
    const data = this.selected();
    return data !== undefined && this.offset < data.length ? data[this.offset++]! : 0;
  }

  private writeDma(offset: number, value: number, size: AccessSize): void {
    if (size !== 4) return;
    if (offset === 0) this.dmaHigh = swap32(value);
    else if (offset === 4) this.transfer(swap32(value));
  }

  /** Runs the descriptor at `paddr`: control, length (32 bits), address (64 bits), all big-endian. */
  private transfer(paddr: number): void {
    const high = this.dmaHigh;
    this.dmaHigh = 0;
    if (high !== 0) return;
    const bytes = new Uint8Array(16);
    const view = new DataView(bytes.buffer);
    this.memory.readBytes(paddr, bytes);
    const control = view.getUint32(0);
    if (control & DMA_SELECT) this.select(control >>> 16);
    const ok = this.move(control, view.getUint32(4), view.getUint32(8) === 0 ? view.getUint32(12) : 0x1_0000_0000);
    view.setUint32(0, ok ? 0 : DMA_ERROR);
    this.memory.writeBytes(paddr, bytes.subarray(0, 4));
  }

  private move(control: number, length: number, address: number): boolean {
    const data = this.selected();
    const available = data === undefined ? 0 : Math.max(0, data.length - this.offset);
    const count = Math.min(length, available);
    if (control & DMA_READ) {
      const from = this.offset;
      this.offset += count;
      return (count === 0 || this.copyOut(data!.subarray(from, from + count), address)) && this.clear(address + count, length - count);
    }
    // Nothing here can be written.
    if (control & DMA_WRITE) {
      this.offset += count;
      return length === 0;
    }
    if (control & DMA_SKIP) this.offset += count;
    return true;
  }

  private clear(address: number, length: number): boolean {
    for (let done = 0; done < length; done += PAGE_SIZE)
      if (!this.copyOut(ZEROS.subarray(0, Math.min(PAGE_SIZE, length - done)), address + done)) return false;
    return true;
  }

  /** False when some of the target is not writable memory; QEMU could also write device registers this way. */
  private copyOut(source: Uint8Array, address: number): boolean {
    const end = address + source.length;
    if (end > 0x1_0000_0000) return false;
    for (let page = Math.floor(address / PAGE_SIZE); page * PAGE_SIZE < end; page++)
      if (this.memory.writePage[page] === NOT_MEMORY) return false;
    this.memory.writeBytes(address, source);
    return true;
  }
}

function readSignature(offset: number, size: AccessSize): number {
  let value = 0;
  for (let i = 0; i < size; i++) value |= (DMA_SIGNATURE[offset + i] ?? 0) << (i * 8);
  return value >>> 0;
}

function swap32(value: number): number {
  return ((value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
}
