import { existsSync } from 'node:fs';
import { backingFiles, type ImageFile } from '../block/image-chain.js';
import { IMAGE_FORMATS, probeFormat } from '../block/image-format.js';
import { UserError } from '../core/errors.js';
import { known, onlyKeys, parseKeyValues, parseNumber } from './keyval.js';
import { lacking } from './lacking-devices.js';

/** A disk on the IDE controller. */
export interface DriveConfig extends ImageFile {
  readonly interface: 'ide';
  /** Primary master, primary slave, secondary master, secondary slave. */
  readonly index: number;
  /** Place in the order in which firmware tries devices, lowest first; absent: in no list. */
  readonly bootIndex?: number;
  /** What the image stands on, nearest first. */
  readonly backing?: readonly ImageFile[];
}

/** What decides about disks, besides the options themselves. */
export interface DriveContext {
  /** Folders whose files may be backing files of images elsewhere. */
  readonly backingFolders: readonly string[];
  /** Disks of the recording that is replayed, whose files need not be where they were; null: nothing is replayed. */
  readonly recorded: readonly DriveConfig[] | null;
}

const POSITIONS = 4;

/** A disk image without a place on the controller yet, and whether something has taken it. */
interface Node {
  readonly image: ImageFile & Pick<DriveConfig, 'backing'>;
  readonly text: string;
  taken: boolean;
}

/**
 * The disks that `--drive` and `--device ide-hd` describe, as QEMU spells them: `file=IMAGE` alone, or `file=IMAGE,if=none,id=A`, then perhaps
 * `driver=blkreplay,if=none,image=A,id=B`, then `ide-hd,drive=B`. The filter adds nothing here: completions of requests always go through the log.
 * Throws UserError naming the option.
 * A qcow2 image that no device uses takes snapshots of the machine.
 * @param devices those of driver ide-hd
 */
export function configureDrives(
  drives: readonly string[],
  devices: readonly string[],
  context: DriveContext,
): { readonly drives: DriveConfig[]; readonly snapshotFile: string | null } {
  const nodes = new Map<string, Node>();
  const placed: DriveConfig[] = [];
  for (const text of drives) {
    const found = parseKeyValues('--drive', text, 'file');
    const name = known('--drive if', found.if ?? 'ide', ['ide', 'none']);
    const node = found.driver === 'blkreplay' ? filter(text, found, nodes) : imageNode(text, found, context);
    if (name === 'none') define(text, found.id, node, nodes);
    else {
      const index = found.index === undefined ? firstFree(text, placed) : parseNumber('--drive index', found.index, POSITIONS - 1);
      placed.push({ ...node.image, interface: 'ide', index });
    }
  }
  for (const text of devices) placed.push(ideDisk(text, nodes, placed));
  return { drives: placed, snapshotFile: snapshotFile(nodes) };
}

function snapshotFile(nodes: ReadonlyMap<string, Node>): string | null {
  const unused = [...nodes].filter(([, { taken }]) => !taken);
  for (const [at, [id, { image }]] of unused.entries()) {
    if (image.format !== 'qcow2')
      throw new UserError('not-supported', `--drive id=${id}: no device uses this drive; --device ide-hd,drive=${id} would`);
    if (at > 0)
      throw new UserError(
        'not-supported',
        `--drive id=${id}: no device uses this drive, and id=${unused[0]![0]} takes the snapshots already`,
      );
  }
  return unused[0]?.[1].image.file ?? null;
}

function imageNode(text: string, found: Record<string, string>, context: DriveContext): Node {
  onlyKeys('--drive', found, ['file', 'format', 'driver', 'if', 'index', 'media', 'snapshot', 'id', 'node-name']);
  if (found.file === undefined || found.file === '') throw new UserError('bad-option', `--drive ${text}: file= is missing`);
  if (found.format !== undefined && found.driver !== undefined)
    throw new UserError('bad-option', `--drive ${text}: driver= and format= are the same`);
  if (found.media === 'cdrom') throw lacking(`--drive ${text}`, 'CD-ROM drive (ATAPI)');
  known('--drive media', found.media ?? 'disk', ['disk']);
  if ((found.snapshot ?? 'on') !== 'on')
    throw new UserError('not-supported', `--drive ${text}: images are never written to; leave snapshot=${found.snapshot} out`);
  const format = found.format ?? found.driver;
  const given = format === undefined ? null : known('--drive format', format, IMAGE_FORMATS);
  return { text, taken: false, image: describeImage(found.file, given, context) };
}

function describeImage(file: string, format: ImageFile['format'] | null, { backingFolders, recorded }: DriveContext): Node['image'] {
  if (recorded !== null && !existsSync(file)) {
    const before = recorded.find((drive) => drive.file === file);
    return { file, format: format ?? before?.format ?? 'raw', ...(before?.backing === undefined ? {} : { backing: before.backing }) };
  }
  try {
    const image = { file, format: format ?? probeFormat(file) };
    const backing = backingFiles(image, backingFolders);
    return backing.length === 0 ? image : { ...image, backing };
  } catch (e) {
    throw e instanceof UserError ? new UserError(e.code, `--drive file=${file}: ${e.message}`) : e;
  }
}

function filter(text: string, found: Record<string, string>, nodes: ReadonlyMap<string, Node>): Node {
  onlyKeys('--drive driver=blkreplay', found, ['driver', 'if', 'image', 'id', 'index']);
  return { text, taken: false, image: take('--drive', text, 'image', found.image, nodes).image };
}

/** One without a name gets QEMU's. */
function define(text: string, named: string | undefined, node: Node, nodes: Map<string, Node>): void {
  const id = named ?? `none${nodes.size}`;
  if (nodes.has(id)) throw new UserError('bad-option', `--drive ${text}: another drive has id=${id}`);
  nodes.set(id, node);
}

function take(option: string, text: string, key: string, id: string | undefined, nodes: ReadonlyMap<string, Node>): Node {
  if (id === undefined) throw new UserError('bad-option', `${option} ${text}: ${key}= is missing`);
  const node = nodes.get(id);
  if (node === undefined) throw new UserError('bad-option', `${option} ${text}: there is no --drive with if=none,id=${id} before it`);
  if (node.taken) throw new UserError('bad-option', `${option} ${text}: the drive ${id} is in use already`);
  node.taken = true;
  return node;
}

/** `--device ide-hd,drive=ID[,bus=ide.N][,unit=N]`. */
function ideDisk(text: string, nodes: ReadonlyMap<string, Node>, placed: readonly DriveConfig[]): DriveConfig {
  const found = parseKeyValues('--device', text, 'driver');
  onlyKeys('--device ide-hd', found, ['driver', 'drive', 'bus', 'unit', 'id', 'bootindex']);
  const { image } = take('--device', text, 'drive', found.drive, nodes);
  const bus = found.bus === undefined ? null : known('--device ide-hd bus', found.bus, ['ide.0', 'ide.1']);
  const free = [0, 1, 2, 3].filter((index) => placed.every((drive) => drive.index !== index));
  const onBus = bus === null ? free : free.filter((index) => index >> 1 === Number(bus.at(-1)));
  const unit = found.unit === undefined ? null : parseNumber('--device ide-hd unit', found.unit, 1);
  const index = unit === null ? onBus[0] : onBus.find((i) => (i & 1) === unit);
  if (index === undefined) throw new UserError('bad-option', `--device ${text}: the place on the IDE controller is taken`);
  const bootIndex =
    found.bootindex === undefined || found.bootindex === '-1'
      ? null
      : parseNumber('--device ide-hd bootindex', found.bootindex, 2 ** 31 - 1);
  if (bootIndex !== null && placed.some((drive) => drive.bootIndex === bootIndex))
    throw new UserError('bad-option', `--device ${text}: The bootindex ${bootIndex} has already been used`);
  return { ...image, interface: 'ide', index, ...(bootIndex === null ? {} : { bootIndex }) };
}

function firstFree(text: string, placed: readonly DriveConfig[]): number {
  const index = [0, 1, 2, 3].find((i) => placed.every((drive) => drive.index !== i));
  if (index === undefined) throw new UserError('bad-option', `--drive ${text}: there are ${POSITIONS} places for disks, and all are taken`);
  return index;
}
