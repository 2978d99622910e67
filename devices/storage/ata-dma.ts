import type { AtaChannel } from './ata-channel.js';
import { DMA_READ, DMA_WRITE } from './ata-commands.js';
import { type AtaDrive, DRDY, DSC, PENDING_DMA } from './ata-drive.js';
import type { DmaSegment } from './bus-master.js';

/** Starts the DMA of a command, and ends it when called again. */
export function runDma(channel: AtaChannel, drive: AtaDrive, ok: boolean): void {
  if (!ok) {
    failDma(channel, drive);
    return;
  }
  const longer = drive.dmaBytes > drive.nsector * 512;
  const done = longer ? drive.nsector : drive.dmaBytes >>> 9;
  const start = drive.getSector() + done;
  if (done > 0) {
    drive.setSector(start);
    drive.nsector -= done;
  }
  if (drive.nsector === 0) {
    drive.status = DRDY | DSC;
    channel.raiseIrq();
    channel.busMaster.end(longer);
    return;
  }
  const count = drive.nsector;
  const { segments, used, described } = channel.busMaster.segments(count * 512);
  drive.dmaBytes = described;
  if (used < count * 512) {
    // Descriptors too short: no interrupt.
    drive.status = DRDY | DSC;
    channel.busMaster.end(false);
  } else if (!transfer(channel, drive, start, count, segments)) failDma(channel, drive);
  else channel.request(drive, PENDING_DMA);
}

function transfer(channel: AtaChannel, drive: AtaDrive, start: number, count: number, segments: readonly DmaSegment[]): boolean {
  if (drive.dmaKind !== DMA_READ && drive.dmaKind !== DMA_WRITE) return true;
  if (!drive.inRange(start, count)) return false;
  const data = new Uint8Array(count * 512);
  if (drive.dmaKind === DMA_READ && !drive.medium!.read(start, data)) return false;
  let at = 0;
  for (const { paddr, length } of segments) {
    const piece = data.subarray(at, at + length);
    at += length;
    if (!channel.options.mayMaster()) continue;
    if (drive.dmaKind === DMA_READ) channel.options.memory.writeBytes(paddr, piece);
    else channel.options.memory.readBytes(paddr, piece);
  }
  return drive.dmaKind === DMA_READ || drive.medium!.write(start, data);
}

function failDma(channel: AtaChannel, drive: AtaDrive): void {
  channel.abort(drive);
  channel.busMaster.end(false);
  channel.raiseIrq();
}
