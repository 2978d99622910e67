import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { reason } from '../../replay/log/input.js';
import { UserError } from '../core/errors.js';

/** RIFF WAVE with linear PCM, 16 bits, two channels ("Multimedia Programming Interface and Data Specifications 1.0", 1991). */
const HEADER_BYTES = 44;
const FRAME_BYTES = 4;
const BUFFER_BYTES = 1 << 16;
const MAX_DATA_BYTES = 0xffffffff - HEADER_BYTES;
const PCM = 1;

function header(hz: number, dataBytes: number): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.write('RIFF', 0, 'latin1');
  bytes.writeUInt32LE(dataBytes + HEADER_BYTES - 8, 4);
  bytes.write('WAVEfmt ', 8, 'latin1');
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(PCM, 20);
  bytes.writeUInt16LE(2, 22);
  bytes.writeUInt32LE(hz, 24);
  bytes.writeUInt32LE(hz * FRAME_BYTES, 28);
  bytes.writeUInt16LE(FRAME_BYTES, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write('data', 36, 'latin1');
  bytes.writeUInt32LE(dataBytes, 40);
  return bytes;
}

/**
 * A WAV file that is written frame by frame, each at its place: a machine that goes back writes the same again. What nobody wrote is silence. A file that was there is
 * emptied with the first frame or when all is over, not before: the machine may not come to be.
 */
export class WavWriter {
  private readonly option: string;
  private readonly hz: number;
  private readonly fd: number;
  private emptied: boolean;
  private dataBytes = 0;
  private readonly buffer = new Uint8Array(BUFFER_BYTES);
  private used = 0;
  /** Place of the buffer's first byte among the data. */
  private at = 0;

  /** @param append goes on with what the file has. Throws UserError. */
  constructor(option: string, path: string, hz: number, append: boolean) {
    this.option = `${option} path=${path}`;
    this.hz = hz;
    this.emptied = append;
    this.fd = this.attempt(() => openSync(path, constants.O_RDWR | constants.O_CREAT, 0o666));
    if (append) this.dataBytes = Math.max(0, fstatSync(this.fd).size - HEADER_BYTES);
  }

  /** The next frame written is the first. */
  restart(): void {
    this.flush();
    this.emptied = false;
    this.dataBytes = 0;
  }

  /** @param frame number of the first of the frames */
  write(frame: number, bytes: Uint8Array): void {
    const place = frame * FRAME_BYTES;
    if (place + bytes.length > MAX_DATA_BYTES) return;
    if (place !== this.at + this.used || this.used + bytes.length > this.buffer.length) {
      this.flush();
      this.at = place;
    }
    this.buffer.set(bytes, this.used);
    this.used += bytes.length;
  }

  flush(): void {
    this.empty();
    if (this.used === 0) return;
    this.put(this.buffer.subarray(0, this.used), HEADER_BYTES + this.at);
    this.at += this.used;
    this.dataBytes = Math.max(this.dataBytes, this.at);
    this.used = 0;
  }

  /** The lengths in the header are right from now on. */
  close(): void {
    this.flush();
    this.put(header(this.hz, this.dataBytes), 0);
    closeSync(this.fd);
  }

  private empty(): void {
    if (this.emptied) return;
    this.emptied = true;
    this.attempt(() => {
      if (fstatSync(this.fd).isFile()) ftruncateSync(this.fd, 0);
    });
    this.put(header(this.hz, 0), 0);
  }

  private put(bytes: Uint8Array, place: number): void {
    this.attempt(() => {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.fd, bytes, at, bytes.length - at, place + at);
    });
  }

  private attempt<T>(action: () => T): T {
    try {
      return action();
    } catch (e) {
      throw new UserError('file-io', `${this.option}: ${reason(e)}`);
    }
  }
}

/** Reads frames of a WAV file; behind its end there is silence. */
export class WavReader {
  private readonly fd: number;
  private readonly dataAt: number;
  private readonly frames: number;

  /** Throws UserError when the file is none of 16-bit stereo PCM with this many frames per second. */
  constructor(option: string, path: string, hz: number) {
    const refuse = (what: string): never => {
      throw new UserError('bad-option', `${option} in.path=${path}: ${what}`);
    };
    try {
      this.fd = openSync(path, 'r');
    } catch (e) {
      refuse(reason(e));
      throw e;
    }
    if (!fstatSync(this.fd).isFile()) refuse('not a regular file');
    const { format, dataAt, dataBytes } = chunks(this.fd) ?? refuse('not a WAV file');
    const [kind, channels, bits] = [format.readUInt16LE(0), format.readUInt16LE(2), format.readUInt16LE(14)];
    if (kind !== PCM || channels !== 2 || bits !== 16) refuse('expected 16-bit PCM with two channels');
    const found = format.readUInt32LE(4);
    if (found !== hz) refuse(`${found} frames per second, where ${hz} were expected; give in.frequency=${found}`);
    this.dataAt = dataAt;
    this.frames = Math.floor(dataBytes / FRAME_BYTES);
  }

  /** Samples of `count` frames from `frame` on, left and right in turn, in the upper half of 32 bits. */
  read(frame: number, count: number): Int32Array {
    const samples = new Int32Array(count * 2);
    const bytes = Buffer.alloc(Math.max(0, Math.min(count, this.frames - frame)) * FRAME_BYTES);
    readSync(this.fd, bytes, 0, bytes.length, this.dataAt + frame * FRAME_BYTES);
    for (let i = 0; i < bytes.length / 2; i++) samples[i] = bytes.readInt16LE(i * 2) << 16;
    return samples;
  }

  close(): void {
    closeSync(this.fd);
  }
}

/** Finds the format and the data; null when one is missing. */
function chunks(fd: number): { readonly format: Buffer; readonly dataAt: number; readonly dataBytes: number } | null {
  const size = fstatSync(fd).size;
  const start = Buffer.alloc(12);
  readSync(fd, start, 0, 12, 0);
  if (start.toString('latin1', 0, 4) !== 'RIFF' || start.toString('latin1', 8) !== 'WAVE') return null;
  let format: Buffer | null = null;
  const head = Buffer.alloc(8);
  for (let at = 12; at + 8 <= size; ) {
    readSync(fd, head, 0, 8, at);
    const name = head.toString('latin1', 0, 4);
    const length = head.readUInt32LE(4);
    if (name === 'data') return format === null ? null : { format, dataAt: at + 8, dataBytes: Math.min(length, size - at - 8) };
    if (name === 'fmt ' && length >= 16 && at + 24 <= size) {
      format = Buffer.alloc(16);
      readSync(fd, format, 0, 16, at + 8);
    }
    at += 8 + length + (length & 1);
  }
  return null;
}
