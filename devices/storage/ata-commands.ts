import type { AtaChannel } from './ata-channel.js';
import { type AtaDrive, DRDY, DSC, END_STOP, END_WRITE_SECTORS, MAX_MULTIPLE } from './ata-drive.js';
import {
  featuresEnabled,
  identifyDevice,
  setIdentifyWord,
  WORD_FEATURES_ENABLED,
  WORD_MULTI_DMA,
  WORD_SINGLE_DMA,
  WORD_ULTRA_DMA,
} from './ata-identify.js';

export const DMA_READ = 0;
export const DMA_WRITE = 1;
export const DMA_TRIM = 2;

/** Runs a command; true when it is complete, false when a transfer or request goes on or the command has set the status itself. */
type Handler = (channel: AtaChannel, drive: AtaDrive, command: number) => boolean;

interface Command {
  readonly run: Handler;
  /** Sets DSC when complete without an error. */
  readonly seekComplete: boolean;
}

function prepareCount(drive: AtaDrive, lba48: boolean): void {
  drive.lba48 = lba48;
  if (!lba48) drive.nsector ||= 256;
  else drive.nsector = (drive.hobNsector << 8) | drive.nsector || 65536;
}

function abort(channel: AtaChannel, drive: AtaDrive): true {
  channel.abort(drive);
  return true;
}

const nothing: Handler = () => true;

function readPio(lba48: boolean): Handler {
  return (channel, drive) => {
    if (drive.medium === null) return abort(channel, drive);
    prepareCount(drive, lba48);
    drive.requestSectors = 1;
    channel.readSectors(drive);
    return false;
  };
}

function writePio(lba48: boolean): Handler {
  return (channel, drive) => {
    if (drive.medium === null) return abort(channel, drive);
    prepareCount(drive, lba48);
    drive.requestSectors = 1;
    drive.status = DRDY | DSC;
    channel.startTransfer(drive, 512, END_WRITE_SECTORS);
    return false;
  };
}

function readMultiple(lba48: boolean): Handler {
  return (channel, drive) => {
    if (drive.medium === null || drive.multiple === 0) return abort(channel, drive);
    prepareCount(drive, lba48);
    drive.requestSectors = drive.multiple;
    channel.readSectors(drive);
    return false;
  };
}

function writeMultiple(lba48: boolean): Handler {
  return (channel, drive) => {
    if (drive.medium === null || drive.multiple === 0) return abort(channel, drive);
    prepareCount(drive, lba48);
    drive.requestSectors = drive.multiple;
    drive.status = DRDY | DSC;
    channel.startTransfer(drive, 512 * Math.min(drive.nsector, drive.multiple), END_WRITE_SECTORS);
    return false;
  };
}

function dma(kind: number, lba48: boolean): Handler {
  return (channel, drive) => {
    if (drive.medium === null) return abort(channel, drive);
    prepareCount(drive, lba48);
    channel.startDma(drive, kind);
    return false;
  };
}

const dataSetManagement: Handler = (channel, drive) => {
  if (drive.feature !== 1 || drive.medium === null) return abort(channel, drive);
  channel.startDma(drive, DMA_TRIM);
  return false;
};

function verify(lba48: boolean): Handler {
  return (_channel, drive) => {
    prepareCount(drive, lba48);
    return true;
  };
}

function readNativeMax(lba48: boolean): Handler {
  return (channel, drive) => {
    if (drive.sectorCount === 0) return abort(channel, drive);
    prepareCount(drive, lba48);
    drive.setSector(drive.sectorCount - 1);
    return true;
  };
}

const identify: Handler = (channel, drive) => {
  if (drive.medium === null) return abort(channel, drive);
  identifyDevice(drive);
  drive.buffer.set(drive.identify);
  drive.status = DRDY | DSC;
  channel.startTransfer(drive, 512, END_STOP);
  channel.raiseIrq();
  return false;
};

const diagnostic: Handler = (channel, drive) => {
  channel.diagnose(drive);
  return false;
};

const setMultiple: Handler = (channel, drive) => {
  const count = drive.nsector & 0xff;
  if (count > MAX_MULTIPLE || (count & (count - 1)) !== 0) return abort(channel, drive);
  drive.multiple = count;
  return true;
};

const initializeParameters: Handler = (channel, drive) => {
  if (drive.medium === null) return abort(channel, drive);
  drive.heads = (drive.select & 15) + 1;
  drive.sectors = drive.nsector;
  channel.raiseIrq();
  return true;
};

const checkPowerMode: Handler = (_channel, drive) => {
  drive.nsector = 0xff;
  return true;
};

const flushCache: Handler = (channel, drive) => {
  channel.flush(drive);
  return false;
};

const securityFreeze: Handler = (_channel, drive) => {
  drive.nsector = 0;
  return true;
};

/** Features that are accepted and change nothing. */
const IGNORED_FEATURES: readonly number[] = [0xaa, 0x55, 0x05, 0x85, 0x69, 0x67, 0x96, 0x9a, 0x42, 0xc2];

const setFeatures: Handler = (channel, drive) => {
  if (drive.medium === null) return abort(channel, drive);
  switch (drive.feature) {
    case 0x02:
    case 0x82:
      drive.writeCache = drive.feature === 0x02;
      setIdentifyWord(drive, WORD_FEATURES_ENABLED, featuresEnabled(drive.writeCache));
      if (drive.writeCache) return true;
      channel.flush(drive);
      return false;
    case 0xcc:
    case 0x66:
      drive.resetReverts = drive.feature === 0xcc;
      return true;
    case 0x03:
      return setTransferMode(drive) || abort(channel, drive);
    default:
      return IGNORED_FEATURES.includes(drive.feature) || abort(channel, drive);
  }
};

function setTransferMode(drive: AtaDrive): boolean {
  const bit = 0x100 << (drive.nsector & 7);
  const mode = drive.nsector >> 3;
  if (mode !== 0 && mode !== 1 && mode !== 2 && mode !== 4 && mode !== 8) return false;
  setIdentifyWord(drive, WORD_SINGLE_DMA, 0x07 | (mode === 2 ? bit : 0));
  setIdentifyWord(drive, WORD_MULTI_DMA, 0x07 | (mode === 4 ? bit : 0));
  setIdentifyWord(drive, WORD_ULTRA_DMA, 0x3f | (mode === 8 ? bit : 0));
  return true;
}

/** Enable, disable, autosave and status; the drive is always healthy and keeps no logs. */
const smart: Handler = (channel, drive) => {
  if (drive.hcyl !== 0xc2 || drive.lcyl !== 0x4f || (!drive.smartEnabled && drive.feature !== 0xd8)) return abort(channel, drive);
  switch (drive.feature) {
    case 0xd8:
    case 0xd9:
      drive.smartEnabled = drive.feature === 0xd8;
      return true;
    case 0xd2:
      if (drive.sector !== 0 && drive.sector !== 0xf1) return abort(channel, drive);
      drive.smartAutosave = drive.sector === 0xf1;
      return true;
    case 0xda:
      return true;
    default:
      return abort(channel, drive);
  }
};

/** Command codes of ATA disks (ATA-6, section 8; old ones from ATA-3) with handler and whether DSC is set at the end. */
const TABLE: readonly (readonly [codes: readonly number[], run: Handler, seekComplete: boolean])[] = [
  [[0x06], dataSetManagement, false],
  [[0x10], nothing, true],
  [[0x20, 0x21], readPio(false), false],
  [[0x24], readPio(true), false],
  [[0x25], dma(DMA_READ, true), false],
  [[0x27], readNativeMax(true), true],
  [[0x29], readMultiple(true), false],
  [[0x30, 0x31, 0x3c], writePio(false), false],
  [[0x34], writePio(true), false],
  [[0x35], dma(DMA_WRITE, true), false],
  [[0x39], writeMultiple(true), false],
  [[0x40, 0x41], verify(false), true],
  [[0x42], verify(true), true],
  [[0x70], nothing, true],
  [[0x90], diagnostic, false],
  [[0x91], initializeParameters, true],
  [[0x94, 0x95, 0x96, 0x97, 0x99, 0xe0, 0xe1, 0xe2, 0xe3, 0xe6], nothing, false],
  [[0x98, 0xe5], checkPowerMode, true],
  [[0xb0], smart, true],
  [[0xc4], readMultiple(false), false],
  [[0xc5], writeMultiple(false), false],
  [[0xc6], setMultiple, true],
  [[0xc8, 0xc9], dma(DMA_READ, false), false],
  [[0xca, 0xcb], dma(DMA_WRITE, false), false],
  [[0xe7, 0xea], flushCache, false],
  [[0xec], identify, false],
  [[0xef], setFeatures, true],
  [[0xf5], securityFreeze, true],
  [[0xf8], readNativeMax(false), true],
];

/** By command code; undefined: not supported. */
export const ATA_COMMANDS: readonly (Command | undefined)[] = (() => {
  const commands: (Command | undefined)[] = new Array(256);
  for (const [codes, run, seekComplete] of TABLE) for (const code of codes) commands[code] = { run, seekComplete };
  return commands;
})();
