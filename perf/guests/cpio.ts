/** A file or directory of an initial RAM file system; directories come before what is in them. */
export interface CpioFile {
  readonly name: string;
  readonly mode: number;
  /** Null: a directory. */
  readonly data: Uint8Array | null;
  /** It is a symbolic link, and `data` is where it leads to. */
  readonly link?: boolean;
}

const REGULAR = 0o100000;
const DIRECTORY = 0o040000;
const LINK = 0o120000;
const NOTHING = new Uint8Array(0);

/** An archive in the "newc" format (Linux, Documentation/driver-api/early-userspace/buffer-format.rst), owned by root, dated 1970. */
export function cpioArchive(files: readonly CpioFile[]): Uint8Array {
  const entries = files.map((f, i) =>
    entry(i + 1, f.name, (f.data === null ? DIRECTORY : f.link ? LINK : REGULAR) | f.mode, f.data ?? NOTHING),
  );
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

/** The regular files of an archive that are wanted, by name without a leading "./" or "/". */
export function filesOfCpio(archive: Buffer, wanted: readonly string[]): Map<string, Buffer> {
  const found = new Map<string, Buffer>();
  const aligned = (at: number): number => (at + 3) & ~3;
  for (let at = 0; archive.toString('latin1', at, at + 6) === '070701'; ) {
    const field = (n: number): number => Number.parseInt(archive.toString('latin1', at + 6 + 8 * n, at + 14 + 8 * n), 16);
    const [mode, length, nameBytes] = [field(1), field(6), field(11)];
    const name = archive.toString('latin1', at + 110, at + 109 + nameBytes).replace(/^\.?\//, '');
    const data = aligned(at + 110 + nameBytes);
    if ((mode & 0o170000) === REGULAR && wanted.includes(name)) found.set(name, archive.subarray(data, data + length));
    at = aligned(data + length);
  }
  return found;
}
