// Longer than most: one state machine.
import type { BlockDevice } from '../../src/block/block-device.js';
import type { AccessSize, DmaMemory, IrqLine, PortSpace } from '../../src/core/bus.js';
import type { StatefulPart, StateSchema } from '../../src/core/state.js';
import { ATA_COMMANDS } from './ata-commands.js';
import { runDma } from './ata-dma.js';
import {
  ABRT,
  AtaDrive,
  BSY,
  DRDY,
  DRQ,
  DSC,
  END_READ_SECTORS,
  END_STOP,
  END_WRITE_SECTORS,
  ERR,
  PENDING_DMA,
  PENDING_FLUSH,
  PENDING_NONE,
  PENDING_READ,
  PENDING_WRITE,
} from './ata-drive.js';
import { commandBlock } from './ata-ports.js';
import { BusMaster } from './bus-master.js';

/** Device control register. */
const HOB = 0x80;
const SRST = 0x04;
const NIEN = 0x02;
const SLAVE = 0x10;

export interface AtaChannelOptions {
  readonly ports: PortSpace;
  /** First of the eight command block ports, and the device control port. */
  readonly commandPort: number;
  readonly controlPort: number;
  readonly irq: IrqLine;
  readonly memory: DmaMemory;
  readonly mayMaster: () => boolean;
  /** Device 0 and device 1. */
  readonly media: readonly [BlockDevice | null, BlockDevice | null];
  /** Number of device 0 on the board, from 1. */
  readonly firstNumber: number;
  /** A request of a device has been made: `complete(unit)` must be called once, later or at once. */
  readonly onRequest: (unit: number) => void;
  /** A software reset has been asked for: `performReset()` must be called once, later or at once. */
  readonly onSoftwareReset: () => void;
}

/** An ATA channel with up to two disks (ATA-6) as QEMU has it: commands, PIO and bus master transfers. Data moves when a request is made, the guest hears of it when it completes. */
export class AtaChannel implements StatefulPart {
  readonly schema: StateSchema = {
    name: 'ata-channel',
    version: 1,
    fields: { unit: 'u8', control: 'u8', drives: 'parts', busMaster: 'part' },
  };
  /** The selected device. */
  unit = 0;
  control = 0;
  readonly drives: readonly [AtaDrive, AtaDrive];
  readonly busMaster: BusMaster;
  readonly options: AtaChannelOptions;

  constructor(options: AtaChannelOptions) {
    this.options = options;
    this.drives = [new AtaDrive(options.media[0], options.firstNumber), new AtaDrive(options.media[1], options.firstNumber + 1)];
    this.busMaster = new BusMaster({
      memory: options.memory,
      mayMaster: options.mayMaster,
      dmaStart: () => runDma(this, this.active, true),
      dmaCancel: () => this.cancel(this.active),
    });
    options.ports.map(options.commandPort, 8, commandBlock(this));
    options.ports.map(options.controlPort, 1, {
      name: 'ata-control',
      read: (_offset, size) => (size === 4 ? 0xffffffff : this.readStatus() | (size === 2 ? 0xff00 : 0)),
      write: (_offset, value, size) => {
        if (size !== 4) this.writeControl(value & 0xff);
      },
    });
  }

  reset(): void {
    this.unit = 0;
    this.control = 0;
    for (const drive of this.drives) {
      this.orphan(drive);
      drive.resetRegisters();
    }
    this.busMaster.reset();
  }

  /** The oldest request of a device is done. */
  complete(unit: number): void {
    const drive = this.drives[unit & 1]!;
    if (drive.orphans > 0) drive.orphans--;
    else this.finish(drive, true);
  }

  /** Carries out a software reset. */
  performReset(): void {
    for (const drive of this.drives) {
      drive.status |= BSY;
      this.haltTransfer(drive);
      this.cancel(drive);
      this.orphan(drive);
      drive.resetRegisters();
      this.diagnose(drive);
    }
    this.control &= ~SRST;
  }

  raiseIrq(): void {
    if (this.control & NIEN) return;
    this.busMaster.noteInterrupt();
    this.options.irq.set(true);
  }

  abort(drive: AtaDrive): void {
    drive.status = DRDY | ERR;
    drive.error = ABRT;
    this.haltTransfer(drive);
  }

  /** EXECUTE DEVICE DIAGNOSTIC: passed. */
  diagnose(drive: AtaDrive): void {
    drive.selectOnly();
    drive.setSignature();
    drive.status = DRDY | DSC;
    drive.error = 1;
    this.raiseIrq();
  }

  /** Offers `length` bytes of the buffer to the guest, or asks it for them. */
  startTransfer(drive: AtaDrive, length: number, end: number): void {
    drive.dataAt = 0;
    drive.dataEnd = length;
    drive.endTransfer = end;
    if ((drive.status & ERR) === 0) drive.status |= DRQ;
  }

  /** Reads the next block of a PIO command. */
  readSectors(drive: AtaDrive): void {
    drive.status = DRDY | DSC;
    drive.error = 0;
    if (drive.nsector === 0) {
      this.haltTransfer(drive);
      return;
    }
    drive.status |= BSY;
    const start = drive.getSector();
    const count = Math.min(drive.nsector, drive.requestSectors);
    if (!drive.inRange(start, count) || !drive.medium!.read(start, drive.buffer.subarray(0, count * 512))) this.fail(drive);
    else this.request(drive, PENDING_READ);
  }

  flush(drive: AtaDrive): void {
    if (drive.medium === null) {
      this.finishFlush(drive);
      return;
    }
    drive.status |= BSY;
    drive.medium.flush();
    this.request(drive, PENDING_FLUSH);
  }

  startDma(drive: AtaDrive, kind: number): void {
    drive.status = DRDY | DSC | DRQ;
    drive.dmaBytes = 0;
    drive.dmaKind = kind;
    if (this.busMaster.begin()) runDma(this, drive, true);
  }

  private get active(): AtaDrive {
    return this.drives[this.unit]!;
  }

  private get empty(): boolean {
    return this.drives[0].medium === null && this.drives[1].medium === null;
  }

  /** Reads a command block register of one byte. */
  readRegister(register: number): number {
    const drive = this.active;
    const hob = (this.control & HOB) !== 0;
    if (register === 0) return this.readData(2) & 0xff;
    if (register === 7) {
      const status = this.readStatus();
      this.options.irq.set(false);
      return status;
    }
    if (this.empty) return 0;
    switch (register) {
      case 1:
        if (this.unit === 1 && drive.medium === null) return 0;
        return hob ? drive.hobFeature : drive.error;
      case 2:
        return hob ? drive.hobNsector : drive.nsector & 0xff;
      case 3:
        return hob ? drive.hobSector : drive.sector;
      case 4:
        return hob ? drive.hobLcyl : drive.lcyl;
      case 5:
        return hob ? drive.hobHcyl : drive.hcyl;
      default:
        return drive.select;
    }
  }

  private readStatus(): number {
    return this.empty || (this.unit === 1 && this.active.medium === null) ? 0 : this.active.status;
  }

  /** Writes a command block register of one byte. */
  writeRegister(register: number, value: number): void {
    if (register !== 7 && (this.active.status & (BSY | DRQ)) !== 0) return;
    if (register !== 0) this.control &= ~HOB;
    if (register === 7) {
      this.options.irq.set(false);
      this.execute(value);
      return;
    }
    // Both devices take what is written.
    for (const drive of this.drives) drive.writeRegister(register, value);
    if (register === 6) this.unit = value & SLAVE ? 1 : 0;
  }

  private writeControl(value: number): void {
    const resets = (value & ~this.control & SRST) !== 0;
    if (resets) for (const drive of this.drives) drive.status |= BSY;
    this.control = value;
    if (resets) this.options.onSoftwareReset();
  }

  private execute(code: number): void {
    const drive = this.active;
    if (this.unit === 1 && drive.medium === null) return;
    if (drive.status & (BSY | DRQ)) return;
    const command = ATA_COMMANDS[code];
    if (command === undefined) {
      this.fail(drive);
      return;
    }
    drive.status = DRDY | BSY;
    drive.error = 0;
    if (!command.run(this, drive, code)) return;
    drive.status &= ~BSY;
    if (command.seekComplete && drive.error === 0) drive.status |= DSC;
    this.raiseIrq();
  }

  /** Reads a word or doubleword of the PIO transfer. */
  readData(size: AccessSize): number {
    const drive = this.active;
    if ((drive.status & DRQ) === 0 || drive.endTransfer === END_WRITE_SECTORS || drive.dataAt + size > drive.dataEnd) return 0;
    const { buffer, dataAt } = drive;
    let value = buffer[dataAt]! | (buffer[dataAt + 1]! << 8);
    if (size === 4) value = (value | (buffer[dataAt + 2]! << 16) | (buffer[dataAt + 3]! << 24)) >>> 0;
    this.advance(drive, size);
    return value;
  }

  /** Writes a word or doubleword of the PIO transfer. */
  writeData(value: number, size: AccessSize): void {
    const drive = this.active;
    if ((drive.status & DRQ) === 0 || drive.endTransfer !== END_WRITE_SECTORS || drive.dataAt + size > drive.dataEnd) return;
    for (let i = 0; i < size; i++) drive.buffer[drive.dataAt + i] = value >>> (i * 8);
    this.advance(drive, size);
  }

  private advance(drive: AtaDrive, size: number): void {
    drive.dataAt += size;
    if (drive.dataAt < drive.dataEnd) return;
    drive.status &= ~DRQ;
    if (drive.endTransfer === END_READ_SECTORS) this.readSectors(drive);
    else if (drive.endTransfer === END_WRITE_SECTORS) this.writeSectors(drive);
    else this.haltTransfer(drive);
  }

  private writeSectors(drive: AtaDrive): void {
    drive.status = DRDY | DSC | BSY;
    const start = drive.getSector();
    const count = Math.min(drive.nsector, drive.requestSectors);
    if (!drive.inRange(start, count) || !drive.medium!.write(start, drive.buffer.subarray(0, count * 512))) this.fail(drive);
    else this.request(drive, PENDING_WRITE);
  }

  private haltTransfer(drive: AtaDrive): void {
    drive.endTransfer = END_STOP;
    drive.dataAt = 0;
    drive.dataEnd = 0;
    drive.status &= ~DRQ;
  }

  private fail(drive: AtaDrive): void {
    this.abort(drive);
    this.raiseIrq();
  }

  /** Always the last thing done: the completion may come at once. */
  request(drive: AtaDrive, kind: number): void {
    drive.pending = kind;
    this.options.onRequest(drive === this.drives[0] ? 0 : 1);
  }

  private finish(drive: AtaDrive, ok: boolean): void {
    const kind = drive.pending;
    drive.pending = PENDING_NONE;
    if (kind === PENDING_READ) this.finishRead(drive, ok);
    else if (kind === PENDING_WRITE) this.finishWrite(drive);
    else if (kind === PENDING_FLUSH) this.finishFlush(drive);
    else if (kind === PENDING_DMA) runDma(this, drive, ok);
  }

  private finishRead(drive: AtaDrive, ok: boolean): void {
    drive.status &= ~BSY;
    if (!ok) {
      this.fail(drive);
      return;
    }
    const count = Math.min(drive.nsector, drive.requestSectors);
    drive.setSector(drive.getSector() + count);
    drive.nsector -= count;
    this.startTransfer(drive, count * 512, END_READ_SECTORS);
    this.raiseIrq();
  }

  private finishWrite(drive: AtaDrive): void {
    drive.status &= ~BSY;
    const count = Math.min(drive.nsector, drive.requestSectors);
    drive.nsector -= count;
    drive.setSector(drive.getSector() + count);
    if (drive.nsector === 0) this.haltTransfer(drive);
    else this.startTransfer(drive, Math.min(drive.nsector, drive.requestSectors) * 512, END_WRITE_SECTORS);
    this.raiseIrq();
  }

  private finishFlush(drive: AtaDrive): void {
    drive.status = DRDY | DSC;
    this.raiseIrq();
  }

  /** Gives up a read for PIO, and ends a DMA as if it were complete; their completions will be ignored. */
  private cancel(drive: AtaDrive): void {
    if (drive.pending !== PENDING_READ && drive.pending !== PENDING_DMA) return;
    drive.orphans++;
    this.finish(drive, drive.pending === PENDING_DMA);
  }

  private orphan(drive: AtaDrive): void {
    if (drive.pending === PENDING_NONE) return;
    drive.orphans++;
    drive.pending = PENDING_NONE;
  }
}
