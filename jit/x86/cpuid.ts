import type { Cpu, CpuModelName } from './cpu.js';
import { EAX, EBX, ECX, EDX } from './regs.js';

/**
 * CPUID as QEMU 7.2's qemu-system-i386 answers it. `max` leaves out the features of QEMU's `max` that palindrome does not have
 * (AVX, SSE4, AES, XSAVE, SVM, 3DNow!, MPX, BMI, protection keys, UMIP).
 */
type Registers = readonly [eax: number, ebx: number, ecx: number, edx: number];

/** Family 6, model 6, stepping 3: CPUID leaf 1 EAX, and EDX after reset. */
export function cpuidVersion(_model: CpuModelName): number {
  return 0x663;
}

/** Features that other parts ask for. */
export type FeatureName = 'syscall' | 'nx' | 'mtrr' | 'mca' | 'amd' | 'pse36' | 'monitor' | 'rdtscp' | 'rdrand' | 'smep' | 'smap';
const MAX_FEATURES: ReadonlySet<FeatureName> = new Set([
  'nx',
  'mtrr',
  'mca',
  'amd',
  'pse36',
  'monitor',
  'rdtscp',
  'rdrand',
  'smep',
  'smap',
]);

export function hasFeature(model: CpuModelName, feature: FeatureName): boolean {
  return model === 'max' && MAX_FEATURES.has(feature);
}

const ZERO: Registers = [0, 0, 0, 0];
const HYPERVISOR: Registers = [0x40000001, 0x54474354, 0x43544743, 0x47435447];

/** Leaf 4 of qemu32 by subleaf: L1D, L1I, L2, L3. */
const CACHES: readonly Registers[] = [
  [0x121, 0x01c0003f, 0x3f, 1],
  [0x122, 0x01c0003f, 0x3f, 1],
  [0x143, 0x03c0003f, 0xfff, 1],
  [0x163, 0x03c0003f, 0x3fff, 6],
];

const QEMU32: ReadonlyMap<number, Registers> = new Map([
  [0, [4, 0x756e6547, 0x6c65746e, 0x49656e69]],
  [1, [0x663, 0x800, 0x80000001, 0x0781abfd]],
  [2, [1, 0, 0x4d, 0x2c307d]],
  [0x80000000, [0x80000004, 0x756e6547, 0x6c65746e, 0x49656e69]],
  [0x80000001, [0x663, 0, 0, 0]],
  [0x80000002, [0x554d4551, 0x72695620, 0x6c617574, 0x55504320]],
  [0x80000003, [0x72657620, 0x6e6f6973, 0x352e3220, 0x2b]],
]);

/** SSE3, MONITOR, MOVBE, POPCNT, RDRAND, running under a hypervisor. */
const MAX_1_ECX = 0xc0c00009;
/** SMEP, ERMS, SMAP. */
const MAX_7_EBX = 0x00100280;
/** The leaf-1 features that are repeated, NX, MMX extensions, RDTSCP. */
const MAX_80000001_EDX = 0x09d3f3fd;

const MAX: ReadonlyMap<number, Registers> = new Map([
  [0, [0xd, 0x68747541, 0x444d4163, 0x69746e65]],
  [1, [0x663, 0x800, MAX_1_ECX, 0x0fcbfbfd]],
  [5, [0, 0, 3, 0]],
  [6, [4, 0, 0, 0]],
  [0x80000000, [0x8000000a, 0x68747541, 0x444d4163, 0x69746e65]],
  [0x80000001, [0x663, 0, 1, MAX_80000001_EDX]],
  [0x80000002, [0x554d4551, 0x47435420, 0x55504320, 0x72657620]],
  [0x80000003, [0x6e6f6973, 0x352e3220, 0x2b, 0]],
  [0x80000005, [0x01ff01ff, 0x01ff01ff, 0x40020140, 0x40020140]],
  [0x80000006, [0, 0x42004200, 0x02008140, 0x00808140]],
  [0x80000008, [0x24, 0, 0, 0]],
]);

function maxSubleaf(leaf: number, subleaf: number): Registers | undefined {
  if (leaf === 7 && subleaf === 0) return [0, MAX_7_EBX, 0, 0];
  if (leaf !== 0xb) return undefined;
  if (subleaf === 0) return [0, 1, 0x100, 0];
  if (subleaf === 1) return [0, 1, 0x201, 0];
  return [0, 0, subleaf & 0xff, 0];
}

function lookup(model: CpuModelName, requested: number, subleaf: number): Registers {
  const leaves = model === 'max' ? MAX : QEMU32;
  const level = leaves.get(0)![0];
  const extendedLevel = leaves.get(0x80000000)![0];
  let leaf = requested;
  if (leaf === 0x40000000) return HYPERVISOR;
  if (leaf === 0x40000001) return ZERO;
  if (leaf >= 0x80000000 ? leaf > extendedLevel : leaf > level) leaf = level;
  if (model === 'qemu32' && leaf === 4) return CACHES[subleaf] ?? ZERO;
  return (model === 'max' ? maxSubleaf(leaf, subleaf) : undefined) ?? leaves.get(leaf) ?? ZERO;
}

/** The local APIC's bit in EDX of leaves 1 and 0x80000001. */
const FEATURE_APIC = 1 << 9;

/** Leaf 1 EDX of the model; boards tell firmware. */
export function cpuidFeatures(model: CpuModelName, apic: boolean): number {
  const edx = (model === 'max' ? MAX : QEMU32).get(1)![3];
  return apic ? edx : edx & ~FEATURE_APIC;
}

/** Executes CPUID. */
export function cpuid(cpu: Cpu): void {
  const r = cpu.r;
  const leaf = r[EAX];
  const answer = lookup(cpu.model, leaf >>> 0, r[ECX] >>> 0);
  r[EAX] = answer[0];
  r[EBX] = answer[1];
  r[ECX] = answer[2];
  r[EDX] = answer[3];
  if (cpu.apicPresent && cpu.apicVisible) return;
  if (leaf === 1 || (leaf === (0x80000001 | 0) && !cpu.apicPresent)) r[EDX] &= ~FEATURE_APIC;
}
