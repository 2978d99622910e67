import type { StatefulPart, StateSchema } from '../../src/core/state.js';

/** Bytes of the counters in memory. */
export const TALLY_BYTES = 64;

/** What the RTL8139C+ counts (data sheet, section 6.2, "Dump Tally Counter Command"), as far as QEMU's card does. */
export class TallyCounters implements StatefulPart {
  readonly schema: StateSchema = {
    name: 'rtl8139-tally',
    version: 1,
    fields: { txOk: 'int', rxOk: 'int', rxErr: 'u32', missPkt: 'u16', rxOkPhy: 'int', rxOkBrd: 'int', rxOkMul: 'u32' },
  };
  txOk = 0;
  rxOk = 0;
  rxErr = 0;
  missPkt = 0;
  rxOkPhy = 0;
  rxOkBrd = 0;
  rxOkMul = 0;

  clear(): void {
    this.txOk = this.rxOk = this.rxErr = this.missPkt = this.rxOkPhy = this.rxOkBrd = this.rxOkMul = 0;
  }

  /** A frame for another station, or none that is asked for. */
  rejected(): void {
    this.rxErr = (this.rxErr + 1) >>> 0;
  }

  /** There was no buffer. */
  missed(): void {
    this.rejected();
    this.missPkt = (this.missPkt + 1) & 0xffff;
  }

  /** As they are dumped; collisions, aborts and underruns never happen. */
  dump(): Uint8Array {
    const bytes = new Uint8Array(TALLY_BYTES);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(0, BigInt(this.txOk), true);
    view.setBigUint64(8, BigInt(this.rxOk), true);
    view.setUint32(24, this.rxErr, true);
    view.setUint16(28, this.missPkt, true);
    view.setBigUint64(40, BigInt(this.rxOkPhy), true);
    view.setBigUint64(48, BigInt(this.rxOkBrd), true);
    view.setUint32(56, this.rxOkMul, true);
    return bytes;
  }
}
