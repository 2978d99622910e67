import type { WritableRegister } from '../../jit/x86/register-access.js';
import type { HostRequest } from '../../replay/host.js';
import type { MachineStatus, Motion, Refusal, StopCause, Watchpoint, X86Registers } from '../core/debug-target.js';
import type { DriveDescription } from '../machine/describe-drives.js';
import type { SnapshotEntry } from '../machine/snapshot-table.js';
import type { SearchOutcome, SearchRequest } from './search.js';

/** A register's new value. */
export type RegisterWrite = WritableRegister;

/** Where an address is looked up. */
export type AddressSpace = 'virtual' | 'physical';

/** What a debugger or monitor asks of the thread that runs the machine, and what it answers; or a UserError says why not. */
export interface DebugCalls {
  status: { ask: object; answer: MachineStatus };
  registers: { ask: object; answer: X86Registers };
  writeRegister: { ask: { readonly register: WritableRegister }; answer: null };
  /** Null: a page is not mapped. */
  readMemory: { ask: { readonly space: AddressSpace; readonly address: number; readonly lengthBytes: number }; answer: Uint8Array | null };
  /** False: a page is not mapped. */
  writeMemory: { ask: { readonly space: AddressSpace; readonly address: number; readonly bytes: Uint8Array }; answer: boolean };
  /** All of them. */
  breakpoints: { ask: { readonly addresses: readonly number[] }; answer: null };
  /** One more, or one less. */
  changeBreakpoint: { ask: { readonly address: number; readonly insert: boolean }; answer: null };
  watchpoints: { ask: { readonly watchpoints: readonly Watchpoint[] }; answer: null };
  icountBreaks: { ask: { readonly icounts: readonly number[] }; answer: null };
  /** Null: it moves now, and an event will tell where it stopped. */
  move: { ask: { readonly motion: Motion }; answer: Refusal | null };
  /** Asks a running machine to stand still; the event tells when it does. */
  pause: { ask: object; answer: null };
  /** Keys, motion, characters for a live machine; false: it is a replay. */
  input: { ask: { readonly requests: readonly HostRequest[] }; answer: boolean };
  /** `taken`: a live machine is reset at once, or between two slices. `shutdown`: it stands still, and resets end it. `refused`: it is a replay. */
  reset: { ask: object; answer: 'taken' | 'shutdown' | 'refused' };
  /** Somebody presses the power button of a live machine; false: it is a replay. */
  powerButton: { ask: object; answer: boolean };
  /** A debugger has come. */
  attached: { ask: object; answer: null };
  snapshots: { ask: object; answer: readonly SnapshotEntry[] };
  saveSnapshot: { ask: { readonly name: string }; answer: null };
  /** Of a machine that stands still. */
  loadSnapshot: { ask: { readonly name: string }; answer: null };
  deleteSnapshot: { ask: { readonly name: string }; answer: null };
  /** A replay that stands still leaves its log. */
  goLive: { ask: object; answer: null };
  /** What the machine consists of, or what the processor finds at its addresses, in lines of text. */
  describe: { ask: { readonly what: 'devices' | 'addresses' | 'networks' }; answer: readonly string[] };
  drives: { ask: object; answer: readonly DriveDescription[] };
  screen: { ask: object; answer: { readonly width: number; readonly height: number; readonly rgba: Uint8Array } | null };
  digest: { ask: object; answer: string };
  /** How the search that was asked for ended. */
  searched: { ask: { readonly outcome: SearchOutcome }; answer: null };
  /** The thread ends. */
  quit: { ask: object; answer: null };
}

export type DebugCall = keyof DebugCalls;

/** One call on its way to the machine's thread. */
export type DebugMessage = { readonly [C in DebugCall]: { readonly id: number; readonly call: C } & DebugCalls[C]['ask'] }[DebugCall];

/** What the machine's thread says without being asked. */
export type DebugEvent =
  | { readonly event: 'ready' }
  | { readonly event: 'resumed' }
  | { readonly event: 'reset'; readonly byGuest: boolean }
  | { readonly event: 'search'; readonly request: SearchRequest }
  | { readonly event: 'stopped'; readonly cause: StopCause; readonly status: MachineStatus }
  | { readonly event: 'user-error'; readonly code: string; readonly message: string }
  | { readonly event: 'crash'; readonly message: string; readonly stack: string };

/** An answer, or why there is none. */
export interface DebugAnswer {
  readonly id: number;
  readonly answer: unknown;
  readonly refused?: { readonly code: string; readonly message: string };
}
