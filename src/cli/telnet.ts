/** Telnet's command bytes (RFC 854). */
const IAC = 0xff;
const SB = 0xfa;
const SE = 0xf0;
const WILL = 0xfb;
const DONT = 0xfe;
const DO = 0xfd;
/** Options: BINARY (RFC 856), ECHO (RFC 857), SUPPRESS-GO-AHEAD (RFC 858). */
const BINARY = 0;
const ECHO = 1;
const SUPPRESS_GO_AHEAD = 3;

/** What a server says first: it echoes, every character counts, and all eight bits do. */
export const TELNET_GREETING = Uint8Array.of(IAC, WILL, ECHO, IAC, WILL, SUPPRESS_GO_AHEAD, IAC, WILL, BINARY, IAC, DO, BINARY);

/** Takes telnet's commands out of what a client sends. */
export class TelnetInput {
  private state: 'text' | 'iac' | 'option' | 'sub' | 'sub-iac' = 'text';
  private afterReturn = false;

  /** The characters among the bytes. */
  take(bytes: Uint8Array): Uint8Array {
    const found = new Uint8Array(bytes.length);
    let used = 0;
    for (const b of bytes) if (this.isText(b)) found[used++] = b;
    return found.subarray(0, used);
  }

  private isText(b: number): boolean {
    switch (this.state) {
      case 'text': {
        // A carriage return alone is sent as CR NUL.
        const padding = this.afterReturn && b === 0;
        this.afterReturn = b === 0x0d;
        if (b !== IAC) return !padding;
        this.state = 'iac';
        return false;
      }
      case 'iac':
        this.state = b === SB ? 'sub' : b >= WILL && b <= DONT ? 'option' : 'text';
        return b === IAC;
      case 'option':
        this.state = 'text';
        return false;
      case 'sub':
        if (b === IAC) this.state = 'sub-iac';
        return false;
      case 'sub-iac':
        this.state = b === SE ? 'text' : 'sub';
        return false;
    }
  }
}

/** Bytes as telnet carries them. */
export function telnetOutput(bytes: Uint8Array): Uint8Array {
  if (!bytes.includes(IAC)) return bytes;
  return Uint8Array.from(Array.from(bytes).flatMap((b) => (b === IAC ? [IAC, IAC] : [b])));
}
