export interface ElfSymbol {
  readonly name: string;
  readonly address: number | bigint;
  /** STT_*. */
  readonly type: number;
  readonly global: boolean;
}

/** A small executable ELF file for the 80386 (or, with 64 bits, x86-64) with .text, .data, .symtab and .strtab. */
export function makeElf(bits: 32 | 64, symbols: readonly ElfSymbol[]): Uint8Array {
  const wide = bits === 64;
  const headerBytes = wide ? 64 : 52;
  const step = wide ? 24 : 16;
  const sectionBytes = wide ? 64 : 40;
  const names = `\0${symbols.map((s) => `${s.name}\0`).join('')}`;
  const stringsAt = headerBytes + step * (symbols.length + 1);
  const sectionsAt = (stringsAt + names.length + 7) & ~7;
  const view = new DataView(new ArrayBuffer(sectionsAt + 5 * sectionBytes));
  const put = (at: number, ...fields: readonly (readonly [size: number, value: number | bigint])[]): void => {
    for (const [size, value] of fields) {
      if (size === 1) view.setUint8(at, Number(value));
      else if (size === 2) view.setUint16(at, Number(value), true);
      else if (size === 4) view.setUint32(at, Number(value), true);
      else view.setBigUint64(at, BigInt(value), true);
      at += size;
    }
  };
  const word = wide ? 8 : 4;
  put(0, [4, 0x464c457f], [1, wide ? 2 : 1], [1, 1], [1, 1]);
  put(16, [2, 2], [2, wide ? 62 : 3], [4, 1], [word, 0], [word, 0], [word, sectionsAt], [4, 0]);
  put(headerBytes - 12, [2, headerBytes], [2, 0], [2, 0], [2, sectionBytes], [2, 5], [2, 0]);
  let name = 1;
  symbols.forEach((s, k) => {
    const at = headerBytes + step * (k + 1);
    const info = (s.global ? 16 : 0) | s.type;
    const section = s.type === 1 ? 2 : 1;
    if (wide) put(at, [4, name], [1, info], [1, 0], [2, section], [8, s.address], [8, 0]);
    else put(at, [4, name], [4, s.address], [4, 0], [1, info], [1, 0], [2, section]);
    name += s.name.length + 1;
  });
  for (let k = 0; k < names.length; k++) view.setUint8(stringsAt + k, names.charCodeAt(k));
  const section = (k: number, type: number, flags: number, offset: number, size: number, link: number): void =>
    put(
      sectionsAt + k * sectionBytes,
      [4, 0],
      [4, type],
      [word, flags],
      [word, 0],
      [word, offset],
      [word, size],
      [4, link],
      [4, 0],
      [word, 1],
      [word, 0],
    );
  section(1, 1, 6, 0, 0, 0);
  section(2, 1, 3, 0, 0, 0);
  section(3, 2, 0, headerBytes, step * (symbols.length + 1), 4);
  section(4, 3, 0, stringsAt, names.length, 0);
  return new Uint8Array(view.buffer);
}
