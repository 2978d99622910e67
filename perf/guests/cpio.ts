/** A file or directory of an initial RAM file system; directories come before what is in them. */
export interface CpioFile {
  readonly name: string;
  readonly mode: number;
  /** Null: a directory. */
  readonly data: Uint8Array | null;
}

const REGULAR = 0o100000;
const DIRECTORY = 0o040000;
const NOTHING = new Uint8Array(0);

/** An archive in the "newc" format (Linux, Documentation/driver-api/early-userspace/buffer-format.rst), owned by root, dated 1970. */
export function cpioArchive(files: readonly CpioFile[]): Uint8Array {
  const entries = files.map((f, i) => entry(i + 1, f.name, (f.data === null ? DIRECTORY : REGULAR) | f.mode, f.data ?? NOTHING));
  return Buffer.concat([...entries, entry(0, 'TRAILER!!!', 0, NOTHING)]);
}

function entry(inode: number, name: string, mode: number, data: Uint8Array): Uint8Array {
  const fields = [inode, mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, name.length + 1, 0];
  const header = Buffer.from(`070701${fields.map((v) => v.toString(16).padStart(8, '0')).join('')}${name}\0`);
  return Buffer.concat([pad(header), pad(data)]);
}

function pad(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}
