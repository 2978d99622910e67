/**
 * A part (CPU, device, clock) declares its state once, as a schema. Save, restore, digest and diff are all driven from it.
 * Field kinds:
 *   bool, u8, u16, u32, i32      numbers of that width
 *   int                          an integer with |v| < 2^53 (virtual time, instruction counts), may be null (stored as "none")
 *   i64                          a bigint (host clock nanoseconds)
 *   bytes                        a Uint8Array of fixed length (the typed array is refilled in place on restore)
 *   i32s / u32s / f64s           fixed-length Int32Array / Uint32Array / Float64Array, refilled in place
 *   blob                         a Uint8Array of any length up to max, replaced on restore
 *   ints                         a number[] of any length up to max (queues), replaced on restore
 *   sparse                       a SparseBytes: the chunks that are there, one after the other, so that no array holds them all
 *   timer                        a Timer: its deadline and arming order
 *   part                         a nested StatefulPart
 *   parts                        a fixed-length array of nested StatefulParts
 */
export type FieldKind =
  | 'bool'
  | 'u8'
  | 'u16'
  | 'u32'
  | 'i32'
  | 'int'
  | 'i64'
  | 'bytes'
  | 'i32s'
  | 'u32s'
  | 'f64s'
  | 'blob'
  | 'ints'
  | 'sparse'
  | 'timer'
  | 'part'
  | 'parts';

/** Names are properties of the part's class; order is the order in the saved form. */
export interface StateSchema {
  /** Stable name of the part's type, e.g. `i8254`. */
  readonly name: string;
  /** Raised whenever fields change. */
  readonly version: number;
  readonly fields: Readonly<Record<string, FieldKind>>;
}

/** Anything with state that snapshots, digests and diffs must see. */
export interface StatefulPart {
  readonly schema: StateSchema;
  /** Recompute what is derived from the fields (maps, caches). Touches only this part. */
  afterRestore?(): void;
}

/** A chip or board part that can be reset with the machine. */
export interface Device extends StatefulPart {
  /** System reset, as by the RESET line. */
  reset(): void;
}
