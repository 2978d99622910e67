import { type CpuRequests, REQUEST_HARD } from './cpu-requests.js';
import type { LocalApic } from './local-apic.js';
import type { PicPair } from './pic-pair.js';

/** What the 8259A pair's INT pin does: goes through the local APIC's LINT0, or straight to the processor when there is no APIC. */
export function picInterrupt(apic: LocalApic | null, cpu: CpuRequests, level: boolean): void {
  if (apic !== null) apic.setPicInterrupt(level);
  else if (level) cpu.raise(REQUEST_HARD);
  else cpu.lower(REQUEST_HARD);
}

/** The INTA cycle of the processor: the vector to take, or -1 when the request went away. */
export function acknowledgeInterrupt(pic: PicPair, apic: LocalApic | null): number {
  if (apic !== null) {
    const vector = apic.acknowledge();
    if (vector >= 0) return vector;
    if (!apic.acceptsPic()) return -1;
  }
  return pic.acknowledge();
}
