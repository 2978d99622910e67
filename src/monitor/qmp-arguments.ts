/** Classes of errors that clients tell apart (QapiErrorClass). */
export type QmpErrorClass = 'GenericError' | 'CommandNotFound' | 'DeviceNotFound';

/** An error in QMP's form. */
export class QmpError extends Error {
  readonly errorClass: QmpErrorClass;

  constructor(message: string, errorClass: QmpErrorClass = 'GenericError') {
    super(message);
    this.errorClass = errorClass;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The members of a JSON object, taken one after the other, with QEMU's words for what is wrong (QmpError). */
export class QmpArguments {
  private readonly members: Readonly<Record<string, unknown>>;
  private readonly path: string;
  private readonly taken = new Set<string>();

  /** @param path of the object, such as `keys[0]`; empty: a command's arguments */
  constructor(value: unknown, path = '') {
    if (!isObject(value)) throw wrongType(path, 'object');
    this.members = value;
    this.path = path;
  }

  private nameOf(member: string): string {
    return this.path === '' ? member : `${this.path}.${member}`;
  }

  has(member: string): boolean {
    return Object.hasOwn(this.members, member);
  }

  private take(member: string): unknown {
    if (!this.has(member)) throw new QmpError(`Parameter '${this.nameOf(member)}' is missing`);
    this.taken.add(member);
    return this.members[member];
  }

  /** A number without a fraction, below 2^53. */
  integer(member: string): number {
    const value = this.take(member);
    if (!Number.isSafeInteger(value)) throw wrongType(this.nameOf(member), 'integer');
    return value as number;
  }

  string(member: string): string {
    const value = this.take(member);
    if (typeof value !== 'string') throw wrongType(this.nameOf(member), 'string');
    return value;
  }

  boolean(member: string): boolean {
    const value = this.take(member);
    if (typeof value !== 'boolean') throw wrongType(this.nameOf(member), 'boolean');
    return value;
  }

  /** One of some names. */
  oneOf<T extends string>(member: string, names: readonly T[]): T {
    const value = this.string(member);
    if (!(names as readonly string[]).includes(value)) throw new QmpError(`Parameter '${member}' does not accept value '${value}'`);
    return value as T;
  }

  object(member: string): QmpArguments {
    return new QmpArguments(this.take(member), this.nameOf(member));
  }

  /** What `item` makes of the elements of an array, at most `most` of them. */
  objects<T>(member: string, most: number, item: (of: QmpArguments) => T): T[] {
    return this.array(member, most).map((value, k) => item(new QmpArguments(value, `${this.nameOf(member)}[${k}]`)));
  }

  strings(member: string, most: number): string[] {
    return this.array(member, most).map((value, k) => {
      if (typeof value !== 'string') throw wrongType(`${this.nameOf(member)}[${k}]`, 'string');
      return value;
    });
  }

  private array(member: string, most: number): readonly unknown[] {
    const value = this.take(member);
    if (!Array.isArray(value)) throw wrongType(this.nameOf(member), 'array');
    if (value.length > most) throw new QmpError(`Parameter '${this.nameOf(member)}' has more than ${most} elements`);
    return value;
  }

  /** Takes a member that may be left out. */
  optional<T>(member: string, take: (member: string) => T): T | null {
    return this.has(member) ? take.call(this, member) : null;
  }

  /** Refuses what nobody has taken. */
  end(): void {
    for (const member of Object.keys(this.members))
      if (!this.taken.has(member)) throw new QmpError(`Parameter '${this.nameOf(member)}' is unexpected`);
  }
}

function wrongType(name: string, expected: string): QmpError {
  return new QmpError(`Invalid parameter type for '${name}', expected: ${expected}`);
}
