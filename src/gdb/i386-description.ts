/** The target description of an i386: registers in the order, with the names and types, of QEMU's i386-32bit.xml, which is what gdb knows from it. */

type Bit = readonly [name: string, start: number, end?: number];

const EFLAGS: readonly Bit[] = [
  ['', 22, 31],
  ['ID', 21],
  ['VIP', 20],
  ['VIF', 19],
  ['AC', 18],
  ['VM', 17],
  ['RF', 16],
  ['', 15],
  ['NT', 14],
  ['IOPL', 12, 13],
  ['OF', 11],
  ['DF', 10],
  ['IF', 9],
  ['TF', 8],
  ['SF', 7],
  ['ZF', 6],
  ['', 5],
  ['AF', 4],
  ['', 3],
  ['PF', 2],
  ['', 1],
  ['CF', 0],
];
const CR0: readonly Bit[] = [
  ['PG', 31],
  ['CD', 30],
  ['NW', 29],
  ['AM', 18],
  ['WP', 16],
  ['NE', 5],
  ['ET', 4],
  ['TS', 3],
  ['EM', 2],
  ['MP', 1],
  ['PE', 0],
];
const CR3: readonly Bit[] = [
  ['PDBR', 12, 31],
  ['PCID', 0, 11],
];
const CR4_NAMES = 'VME PVI TSD DE PSE PAE MCE PGE PCE OSFXSR OSXMMEXCPT UMIP LA57 VMXE SMXE - FSGSBASE PCIDE OSXSAVE - SMEP SMAP PKE'.split(
  ' ',
);
const EFER: readonly Bit[] = [
  ['TCE', 15],
  ['FFXSR', 14],
  ['LMSLE', 13],
  ['SVME', 12],
  ['NXE', 11],
  ['LMA', 10],
  ['LME', 8],
  ['SCE', 0],
];
const MXCSR_NAMES = 'IE DE ZE OE UE PE DAZ IM DM ZM OM UM PM - - FZ'.split(' ');

function named(names: readonly string[]): Bit[] {
  return names.flatMap((name, bit) => (name === '-' ? [] : [[name, bit] as const]));
}

function flags(id: string, bits: readonly Bit[]): string {
  const fields = bits.map(([name, start, end = start]) => `<field name="${name}" start="${start}" end="${end}"/>`);
  return `<flags id="${id}" size="4">${fields.join('')}</flags>\n`;
}

function reg(name: string, bitsize: number, type: string, group?: string): string {
  return `<reg name="${name}" bitsize="${bitsize}" type="${type}"${group === undefined ? '' : ` group="${group}"`}/>\n`;
}

const VECTORS = [
  ['v4f', 'ieee_single', 4],
  ['v2d', 'ieee_double', 2],
  ['v16i8', 'int8', 16],
  ['v8i16', 'int16', 8],
  ['v4i32', 'int32', 4],
  ['v2i64', 'int64', 2],
] as const;
const LANES = [
  ['v4_float', 'v4f'],
  ['v2_double', 'v2d'],
  ['v16_int8', 'v16i8'],
  ['v8_int16', 'v8i16'],
  ['v4_int32', 'v4i32'],
  ['v2_int64', 'v2i64'],
  ['uint128', 'uint128'],
] as const;

function coreFeature(): string {
  const eight = [0, 1, 2, 3, 4, 5, 6, 7];
  return [
    flags('i386_eflags', EFLAGS),
    ...['eax', 'ecx', 'edx', 'ebx'].map((name) => reg(name, 32, 'int32')),
    ...['esp', 'ebp'].map((name) => reg(name, 32, 'data_ptr')),
    ...['esi', 'edi'].map((name) => reg(name, 32, 'int32')),
    reg('eip', 32, 'code_ptr'),
    reg('eflags', 32, 'i386_eflags'),
    ...['cs', 'ss', 'ds', 'es', 'fs', 'gs', 'fs_base', 'gs_base', 'k_gs_base'].map((name) => reg(name, 32, 'int32')),
    flags('i386_cr0', CR0),
    flags('i386_cr3', CR3),
    flags('i386_cr4', named(CR4_NAMES)),
    flags('i386_efer', EFER),
    reg('cr0', 32, 'i386_cr0'),
    reg('cr2', 32, 'int32'),
    reg('cr3', 32, 'i386_cr3'),
    reg('cr4', 32, 'i386_cr4'),
    reg('cr8', 32, 'int32'),
    reg('efer', 32, 'i386_efer'),
    ...eight.map((n) => reg(`st${n}`, 80, 'i387_ext')),
    ...['fctrl', 'fstat', 'ftag', 'fiseg', 'fioff', 'foseg', 'fooff', 'fop'].map((name) => reg(name, 32, 'int', 'float')),
    ...VECTORS.map(([id, type, count]) => `<vector id="${id}" type="${type}" count="${count}"/>\n`),
    `<union id="vec128">${LANES.map(([name, type]) => `<field name="${name}" type="${type}"/>`).join('')}</union>\n`,
    flags('i386_mxcsr', named(MXCSR_NAMES)),
    ...eight.map((n) => reg(`xmm${n}`, 128, 'vec128')),
    reg('mxcsr', 32, 'i386_mxcsr', 'vector'),
  ].join('');
}

const HEAD = '<?xml version="1.0"?>\n';

/** The files of the target description, by the name that gdb asks for. */
export const TARGET_DESCRIPTION: ReadonlyMap<string, string> = new Map([
  [
    'target.xml',
    `${HEAD}<!DOCTYPE target SYSTEM "gdb-target.dtd"><target><architecture>i386</architecture><xi:include href="i386-32bit.xml"/></target>`,
  ],
  [
    'i386-32bit.xml',
    `${HEAD}<!DOCTYPE feature SYSTEM "gdb-target.dtd">\n<feature name="org.gnu.gdb.i386.core">\n${coreFeature()}</feature>\n`,
  ],
]);
