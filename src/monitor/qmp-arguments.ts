/** An error in QMP's form. */
export class QmpError extends Error {
  readonly errorClass: 'GenericError' | 'CommandNotFound';

  constructor(message: string, errorClass: 'GenericError' | 'CommandNotFound' = 'GenericError') {
    super(message);
    this.errorClass = errorClass;
  }
}

/** Kinds of arguments; `?` behind: may be left out. */
export type ArgumentKind = 'int' | 'int?' | 'str' | 'str?' | 'list' | 'list?';

const WORDS = { int: 'integer', str: 'string', list: 'array' } as const;

function fits(kind: keyof typeof WORDS, value: unknown): boolean {
  switch (kind) {
    case 'int':
      return Number.isSafeInteger(value);
    case 'str':
      return typeof value === 'string';
    case 'list':
      return Array.isArray(value);
  }
}

/** Checks a command's arguments, with QEMU's words for what is wrong. Throws QmpError. */
export function checkArguments(given: Readonly<Record<string, unknown>>, schema: Readonly<Record<string, ArgumentKind>>): void {
  for (const [name, kind] of Object.entries(schema)) {
    const plain = kind.replace('?', '') as keyof typeof WORDS;
    if (!Object.hasOwn(given, name)) {
      if (!kind.endsWith('?')) throw new QmpError(`Parameter '${name}' is missing`);
    } else if (!fits(plain, given[name])) throw new QmpError(`Invalid parameter type for '${name}', expected: ${WORDS[plain]}`);
  }
  for (const name of Object.keys(given)) if (!Object.hasOwn(schema, name)) throw new QmpError(`Parameter '${name}' is unexpected`);
}
