/** Longest packet accepted, in bytes between `$` and `#`; what `PacketSize` announces. */
export const MAX_PACKET_BYTES = 0x10000;

/** What a debugger sent. Packets are strings of one byte per character, unescaped. */
export type Received =
  | { readonly kind: 'packet'; readonly text: string }
  /** Its checksum is wrong, or it is too long: to be answered with `-`. */
  | { readonly kind: 'damaged' }
  /** `+` and `-`: the last packet arrived well, or must be sent again. */
  | { readonly kind: 'ack' | 'nak' }
  /** Ctrl-C. */
  | { readonly kind: 'interrupt' };

const CTRL_C = 0x03;
const DOLLAR = 0x24;
const HASH = 0x23;
const STAR = 0x2a;
const PLUS = 0x2b;
const MINUS = 0x2d;
const ESCAPE = 0x7d;

/** Takes the byte stream of a debugger apart ("Debugging with GDB", appendix E.1). */
export class PacketReader {
  private state: 'idle' | 'body' | 'escaped' | 'repeat' | 'sum1' | 'sum2' = 'idle';
  private body: number[] = [];
  private sum = 0;
  private given = 0;
  private tooLong = false;

  /** Everything that the bytes complete, in order. */
  take(bytes: Uint8Array): Received[] {
    const found: Received[] = [];
    for (const b of bytes) {
      const one = this.byte(b);
      if (one !== null) found.push(one);
    }
    return found;
  }

  private byte(b: number): Received | null {
    switch (this.state) {
      case 'idle':
        return this.outside(b);
      case 'body':
        this.inside(b);
        return null;
      case 'escaped':
        this.sum += b;
        this.push(b ^ 0x20);
        this.state = 'body';
        return null;
      case 'repeat':
        this.sum += b;
        for (let n = b - 29; n > 0 && this.body.length > 0 && !this.tooLong; n--) this.push(this.body.at(-1)!);
        this.state = 'body';
        return null;
      case 'sum1':
        this.given = hexDigit(b) << 4;
        this.state = 'sum2';
        return null;
      case 'sum2':
        this.given |= hexDigit(b);
        this.state = 'idle';
        return this.complete();
    }
  }

  private outside(b: number): Received | null {
    if (b === DOLLAR) {
      this.begin();
      return null;
    }
    if (b === PLUS) return { kind: 'ack' };
    if (b === MINUS) return { kind: 'nak' };
    return b === CTRL_C ? { kind: 'interrupt' } : null;
  }

  private begin(): void {
    this.state = 'body';
    this.body = [];
    this.sum = 0;
    this.tooLong = false;
  }

  private inside(b: number): void {
    if (b === HASH) this.state = 'sum1';
    else if (b === DOLLAR) this.begin();
    else {
      this.sum += b;
      if (b === ESCAPE) this.state = 'escaped';
      else if (b === STAR) this.state = 'repeat';
      else this.push(b);
    }
  }

  private push(b: number): void {
    if (this.body.length < MAX_PACKET_BYTES) this.body.push(b);
    else this.tooLong = true;
  }

  private complete(): Received {
    const good = !this.tooLong && this.given === (this.sum & 0xff);
    const text = good ? Buffer.from(this.body).toString('latin1') : '';
    this.body = [];
    return good ? { kind: 'packet', text } : { kind: 'damaged' };
  }
}

/** A value that spoils the checksum for what is no digit. */
function hexDigit(b: number): number {
  const v = Number.parseInt(String.fromCharCode(b), 16);
  return Number.isNaN(v) ? 0x100 : v;
}

/** A packet around text of one byte per character, escaped where it must be. */
export function framePacket(text: string): Buffer {
  const escaped = text.replace(/[#$*}]/g, (c) => `}${String.fromCharCode(c.charCodeAt(0) ^ 0x20)}`);
  let sum = 0;
  for (let k = 0; k < escaped.length; k++) sum += escaped.charCodeAt(k);
  return Buffer.from(`$${escaped}#${(sum & 0xff).toString(16).padStart(2, '0')}`, 'latin1');
}
