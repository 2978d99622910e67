import type { Generated } from '../core/compile.js';
import type { Cpu } from './cpu.js';
import { guestFault } from './fault.js';
import { EIP, LEFT } from './regs.js';
import { EXECUTED, indexOf, JUMPED, tbOf } from './translate/function-context.js';
import { endsIndirect, targetsOf } from './translate/targets.js';
import type { TbSource } from './translate/translate.js';

/** Why generated code was left. */
export const EXIT_CAUSES = [
  /** A jump with a constant target, or the end of a TB without one, to a TB that the function does not hold. */
  'jump',
  /** A jump, call or return to an EIP worked out when it runs. */
  'indirectJump',
  /** Fewer instructions left in the slice than the next TB has. */
  'budget',
  /** A request waited for the boundary between two TBs. */
  'interrupt',
  /** The last instruction was left to its `exec` (mode, port, string, ...), or one ended its TB in the middle. */
  'executed',
  /** An access that the interpreter has to make: a TLB miss, a device, two pages, a page with code. */
  'access',
  /** A guest exception. */
  'fault',
] as const;

export type ExitCause = (typeof EXIT_CAUSES)[number];

const [BY_JUMP, BY_INDIRECT_JUMP, BY_BUDGET, BY_INTERRUPT, BY_EXECUTED, BY_ACCESS, BY_FAULT] = EXIT_CAUSES.map((_, k) => k) as [
  ...[number, number, number, number, number, number, number],
];
const ENTRIES = EXIT_CAUSES.length;
const INSTRUCTIONS = ENTRIES + 1;

/** What functions of one kind did. */
export interface TierStatistics {
  /** Functions made. */
  readonly translated: number;
  readonly entries: number;
  readonly instructions: number;
  readonly exits: Readonly<Record<ExitCause, number>>;
}

/** Numbers of one tier. */
class Tier {
  translated = 0;
  /** Exits by cause, entries, instructions: beyond 2^31. */
  readonly counts = new Float64Array(INSTRUCTIONS + 1);

  statistics(): TierStatistics {
    const { counts, translated } = this;
    const exits = Object.fromEntries(EXIT_CAUSES.map((cause, k) => [cause, counts[k]!])) as Record<ExitCause, number>;
    return { translated, entries: counts[ENTRIES]!, instructions: counts[INSTRUCTIONS]!, exits };
  }
}

/**
 * Counts what generated code does, function call by function call, by a wrapper around each function: code that is not counted pays nothing.
 */
export class TierCounters {
  private readonly cpu: Cpu;
  private readonly tbs = new Tier();
  private readonly regions = new Tier();
  /** Exits that the interpreter had to go on behind, by mnemonic. */
  private readonly stops = new Map<string, number>();

  constructor(cpu: Cpu) {
    this.cpu = cpu;
  }

  /** Functions of one TB. */
  get tb(): TierStatistics {
    return this.tbs.statistics();
  }

  /** Functions of several TBs. */
  get region(): TierStatistics {
    return this.regions.statistics();
  }

  /** Mnemonics of instructions at which `executed` and `access` exits happened, the most frequent first. */
  get exitsByInstruction(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.stops].toSorted((a, b) => b[1] - a[1]));
  }

  /** `generated`, counted; `tbs` are those it holds, itself first. */
  counted(generated: Generated, tbs: readonly TbSource[]): Generated {
    const { r } = this.cpu;
    const tier = tbs.length === 1 ? this.tbs : this.regions;
    const { counts } = tier;
    tier.translated++;
    const causeOfJump = this.jumpCauses(tbs);
    return () => {
      const before = r[LEFT]!;
      counts[ENTRIES]!++;
      let stopped: number;
      try {
        stopped = generated();
      } catch (e) {
        // A fault that does not count gives its instruction back when it is delivered.
        if (e === guestFault) counts[INSTRUCTIONS]! += before - r[LEFT]! - (guestFault.counted ? 0 : 1);
        counts[BY_FAULT]!++;
        throw e;
      }
      counts[INSTRUCTIONS]! += before - r[LEFT]!;
      if (stopped === JUMPED) counts[causeOfJump()]!++;
      else if (stopped === EXECUTED) {
        counts[BY_EXECUTED]!++;
        if (tbs.length === 1) this.stoppedAt(tbs[0]!, tbs[0]!.insns.length - 1);
      } else {
        counts[INSTRUCTIONS]! += indexOf(stopped);
        counts[BY_ACCESS]!++;
        this.stoppedAt(tbs[tbOf(stopped)]!, indexOf(stopped));
      }
      return stopped;
    };
  }

  private stoppedAt(tb: TbSource, index: number): void {
    const { name } = tb.insns[index]!.row;
    this.stops.set(name, (this.stops.get(name) ?? 0) + 1);
  }

  /** Tells why a function that went through to a jump was left, from the state it left behind. */
  private jumpCauses(tbs: readonly TbSource[]): () => number {
    const { cpu } = this;
    const { r } = cpu;
    const lengths = new Map(tbs.map((tb) => [tb.eip | 0, tb.insns.length]));
    const constants = new Set(tbs.filter((tb) => !endsIndirect(tb)).flatMap(targetsOf));
    const onlyIndirect = tbs.length === 1 && endsIndirect(tbs[0]!);
    return () => {
      if (onlyIndirect) return BY_INDIRECT_JUMP;
      const length = lengths.get(r[EIP]!);
      if (length !== undefined && r[LEFT]! < length) return BY_BUDGET;
      if (length !== undefined && cpu.interruptRequest !== 0) return BY_INTERRUPT;
      return constants.has(r[EIP]!) ? BY_JUMP : BY_INDIRECT_JUMP;
    };
  }
}
