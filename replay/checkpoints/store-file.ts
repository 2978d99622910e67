import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { UserError } from '../../src/core/errors.js';
import { reason, writeErrorCode } from '../log/input.js';
import {
  decodeRecordHeader,
  EARLIER_MAGICS,
  encodeRecordHeader,
  MAGIC,
  MAX_DESCRIPTION_BYTES,
  PREAMBLE_BYTES,
  RECORD_HEADER_BYTES,
  REFUSED_MAGIC,
  type RecordHeader,
  type StoreDescription,
} from './format.js';

/** A record where it lies in the file. */
export interface PlacedRecord extends RecordHeader {
  /** File offset of its payload. */
  readonly at: number;
}

/** The file of a store: a description, then records that are only ever added. What was being written when a recording was killed is no record yet. */
export class StoreFile {
  readonly path: string;
  private readonly fd: number;
  /** Behind the last whole record. */
  private end = 0;

  private constructor(path: string, fd: number) {
    this.path = path;
    this.fd = fd;
  }

  /** Begins a new store in the place of any that was there. */
  static create(path: string, description: StoreDescription): StoreFile {
    const file = StoreFile.at(path, constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC);
    const text = Buffer.from(JSON.stringify(description));
    const preamble = Buffer.alloc(PREAMBLE_BYTES);
    preamble.write(MAGIC, 'latin1');
    preamble.writeUInt32LE(text.length, 8);
    preamble.writeUInt32LE(crc32(text), 12);
    try {
      file.write(Buffer.concat([preamble, text]));
    } catch (e) {
      file.remove();
      file.close();
      throw e;
    }
    return file;
  }

  /** Opens a store. Throws UserError 'store-corrupt' when it is none. */
  static open(path: string, writable: boolean): { file: StoreFile; description: unknown } {
    const file = StoreFile.at(path, (writable ? constants.O_RDWR : constants.O_RDONLY) | constants.O_NONBLOCK);
    try {
      return { file, description: file.describe() };
    } catch (e) {
      file.close();
      throw e;
    }
  }

  private static at(path: string, flags: number): StoreFile {
    let fd: number;
    try {
      fd = openSync(path, flags, 0o666);
    } catch (e) {
      throw new UserError((e as NodeJS.ErrnoException).code === 'ENOENT' ? 'file-not-found' : 'file-io', `${path}: ${reason(e)}`);
    }
    if (fstatSync(fd).isFile()) return new StoreFile(path, fd);
    closeSync(fd);
    throw new UserError('file-io', `${path}: not a regular file`);
  }

  private describe(): unknown {
    const preamble = Buffer.from(this.read(0, PREAMBLE_BYTES) ?? []);
    const length = preamble.length === PREAMBLE_BYTES ? preamble.readUInt32LE(8) : 0;
    const magic = preamble.toString('latin1', 0, 8);
    if (magic === REFUSED_MAGIC) throw this.corrupt('was made by an earlier version');
    if ((magic !== MAGIC && !EARLIER_MAGICS.includes(magic)) || length > MAX_DESCRIPTION_BYTES)
      throw this.corrupt('is not a store of checkpoints');
    const text = this.read(PREAMBLE_BYTES, length);
    if (text === null || crc32(text) !== preamble.readUInt32LE(12)) throw this.corrupt('has a damaged description');
    this.end = PREAMBLE_BYTES + length;
    try {
      return JSON.parse(Buffer.from(text).toString('utf8'));
    } catch {
      throw this.corrupt('has a description that is not JSON');
    }
  }

  corrupt(what: string): UserError {
    return new UserError('store-corrupt', `${this.path} ${what}; remove it, and "palindrome checkpoint add" makes it anew`);
  }

  /** All whole records, in order; ends at the first that is cut off or whose header is damaged. */
  records(): PlacedRecord[] {
    const found: PlacedRecord[] = [];
    const { size } = fstatSync(this.fd);
    for (;;) {
      const bytes = this.read(this.end, RECORD_HEADER_BYTES);
      const header = bytes === null ? null : decodeRecordHeader(bytes);
      const at = this.end + RECORD_HEADER_BYTES;
      if (header === null || at + header.payloadBytes > size) return found;
      found.push({ ...header, at });
      this.end = at + header.payloadBytes;
    }
  }

  /** Bytes behind the last whole record: a recording was killed there, or the file is damaged. */
  get looseBytes(): number {
    return fstatSync(this.fd).size - this.end;
  }

  /** The payload of a record; null when it is damaged. */
  payload(record: PlacedRecord): Uint8Array | null {
    const bytes = this.read(record.at, record.payloadBytes);
    return bytes === null || crc32(bytes) !== record.payloadCrc ? null : bytes;
  }

  /** Bytes from a place on, unchecked; null when the file ends before. */
  read(at: number, length: number): Uint8Array | null {
    const bytes = Buffer.allocUnsafeSlow(length);
    try {
      for (let done = 0; done < length; ) {
        const n = readSync(this.fd, bytes, done, length - done, at + done);
        if (n === 0) return null;
        done += n;
      }
    } catch (e) {
      throw new UserError('file-io', `${this.path}: ${reason(e)} at byte ${at}`);
    }
    return bytes;
  }

  /** Adds a record behind the last whole one. */
  append(type: number, count: number, payload: Uint8Array): PlacedRecord {
    const header = { type, count, payloadBytes: payload.length, payloadCrc: crc32(payload) };
    const at = this.end + RECORD_HEADER_BYTES;
    this.write(Buffer.concat([encodeRecordHeader(header), payload]));
    return { ...header, at };
  }

  /** Forgets what is behind the last whole record; what is added may be new to earlier versions. */
  goOn(): void {
    this.trim();
    this.writeAt(0, Buffer.from(MAGIC, 'latin1'));
  }

  /** Takes away what is behind the last whole record. */
  trim(): void {
    ftruncateSync(this.fd, this.end);
  }

  /** Gives all its room back to the disk. */
  remove(): void {
    ftruncateSync(this.fd, 0);
    rmSync(this.path, { force: true });
  }

  private write(bytes: Uint8Array): void {
    this.writeAt(this.end, bytes);
    this.end += bytes.length;
  }

  private writeAt(at: number, bytes: Uint8Array): void {
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(this.fd, bytes, done, bytes.length - done, at + done);
    } catch (e) {
      throw new UserError(writeErrorCode(e), `${this.path}: ${reason(e)}`);
    }
  }

  get bytes(): number {
    return this.end;
  }

  close(): void {
    closeSync(this.fd);
  }
}
