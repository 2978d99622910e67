import type { BlockProfile } from './block-profile.js';
import type { CallNode } from './call-tree.js';

/** How a frame came about. */
export const BY_CALL = 0;
/** By a fault, an interrupt, INT, SYSENTER or a call gate. */
export const BY_INTERRUPT = 1;
export const BY_SMI = 2;

/** What came of a return. */
export const RETURNED = 0;
/** It took something off the stack that no call had put there: a jump. */
export const JUMPED = 1;
/** To a place from which nothing is known to have been called. */
export const LOST = 2;

/** Stacks not in use that are remembered. */
const MAX_STACKS = 1024;
/** Calls in calls; deeper, a new stack begins. */
const MAX_DEPTH = 512;
/** Kernels have small stacks at multiples of their size, others large ones. */
const KERNEL_STACK_SHIFT = 13;
const USER_REACH = 1 << 20;

/** One call that has not returned. Frames of a stack are linked both ways, so that they can be used again. */
export class Frame {
  readonly parent: Frame | null;
  readonly depth: number;
  child: Frame | null = null;
  /** Linear address of the return address on the guest's stack. */
  slot = 0;
  /** Address space of the stack: 0 for the kernel's, else the page of CR3. */
  space = 0;
  kind = BY_CALL;
  /** Linear address behind the call. */
  returnTo = 0;
  /** What was interrupted is a user program, and its CR3. */
  fromUser = false;
  cr3 = 0;
  /** The block that called, or was interrupted. */
  caller: BlockProfile | null = null;
  /** What runs in it; null: nothing yet. */
  node: CallNode | null = null;
  /** What it was about to begin when it was interrupted (see Profiler). */
  begins = 0;

  constructor(parent: Frame | null) {
    this.parent = parent;
    this.depth = parent === null ? 0 : parent.depth + 1;
  }
}

/**
 * The guest's stacks of calls, followed from outside. A return is recognised by the address of the slot it takes its target from, so that neither a switch of stacks nor
 * a jump out of several calls leads astray. Stacks that the guest turned away from are kept until it returns into one of them.
 */
export class ShadowStacks {
  current = new Frame(null);
  /** Tops, the most recent last. */
  private suspended: Frame[] = [];

  /** A call or an interrupt put a return address at `slot`; its frame is the current one now. */
  push(slot: number, space: number, kind: number): Frame {
    let top = this.current;
    if (slot >>> 0 >= top.slot >>> 0 && top.parent !== null) top = this.withoutStale(slot, space);
    if (top.depth >= MAX_DEPTH) top = baseOf(top);
    top.child ??= new Frame(top);
    const frame = top.child;
    frame.slot = slot;
    frame.space = space;
    frame.kind = kind;
    frame.node = null;
    frame.begins = 0;
    this.current = frame;
    return frame;
  }

  /** The frame below those that were left without a return: their slots lie above the stack pointer. */
  private withoutStale(slot: number, space: number): Frame {
    let top = this.current;
    while (top.parent !== null && top.space === space && top.slot >>> 0 <= slot >>> 0 && sameStack(top.slot, slot, space)) top = top.parent;
    return top;
  }

  /** A return takes its target, `to`, from `slot`. */
  leave(slot: number, space: number, to: number): number {
    for (let f: Frame = this.current; f.parent !== null; f = f.parent)
      if (f.slot === slot && f.space === space && f.kind === BY_CALL) {
        this.current = f.parent;
        return RETURNED;
      }
    return this.leaveElsewhere(slot, space, to);
  }

  /** IRET in one ring. Behind the slot there may have been an error code. */
  leaveInterrupt(slot: number, space: number, to: number): number {
    for (let f: Frame = this.current; f.parent !== null; f = f.parent)
      if (f.kind === BY_INTERRUPT && !f.fromUser && f.space === space && (f.slot === slot || f.slot + 4 === slot)) {
        this.current = f.parent;
        return RETURNED;
      }
    return this.leaveElsewhere(slot, space, to);
  }

  /** Back to a user program, which may be another one than had been interrupted. */
  leaveToUser(cr3: number): number {
    return this.leaveTo((f) => f.kind === BY_INTERRUPT && f.fromUser, cr3);
  }

  leaveSmm(): number {
    return this.leaveTo((f) => f.kind === BY_SMI, -1);
  }

  private leaveTo(wanted: (f: Frame) => boolean, cr3: number): number {
    let frame = this.current;
    while (frame.parent !== null && !wanted(frame)) frame = frame.parent;
    if (frame.parent === null || (cr3 !== -1 && frame.cr3 !== cr3)) {
      this.current = baseOf(frame);
      return LOST;
    }
    this.current = frame.parent;
    return RETURNED;
  }

  private leaveElsewhere(slot: number, space: number, to: number): number {
    const found = this.findSuspended(slot, space, to);
    const { current } = this;
    if (found !== null) {
      this.suspend(withoutStack(current, slot, space));
      this.current = found.parent!;
      return RETURNED;
    }
    if (current.parent === null) return LOST;
    if (current.space === space && sameStack(current.slot, slot, space) && slot >>> 0 < current.slot >>> 0) return JUMPED;
    const left = withoutStack(current, slot, space);
    let frame = left;
    while (frame.parent !== null && !(frame.space === space && sameStack(frame.slot, slot, space))) frame = frame.parent;
    if (frame.parent === null && left.parent !== null) {
      this.suspend(left);
      this.current = new Frame(null);
    } else this.current = baseOf(frame);
    return LOST;
  }

  /** Takes the stack with that slot, and that return address in it, out of those not in use. */
  private findSuspended(slot: number, space: number, to: number): Frame | null {
    const { suspended } = this;
    for (let k = suspended.length - 1; k >= 0; k--) {
      if (suspended[k]!.space !== space) continue;
      for (let f = suspended[k]!; f.parent !== null; f = f.parent)
        if (f.slot === slot && f.space === space && f.returnTo === to && f.kind === BY_CALL) {
          suspended.splice(k, 1);
          return f;
        }
    }
    return null;
  }

  private suspend(top: Frame): void {
    if (top.parent === null) return;
    // What was on the same stack before is over.
    this.suspended = this.suspended.filter((t) => t.space !== top.space || !sameStack(t.slot, top.slot, top.space));
    if (this.suspended.length >= MAX_STACKS) this.suspended.shift();
    this.suspended.push(top);
  }

  /** The processor was reset. */
  forget(): void {
    this.current = new Frame(null);
    this.suspended = [];
  }
}

/** The frame below those on the stack of `slot`: what a switch of stacks called when it had switched already. */
function withoutStack(top: Frame, slot: number, space: number): Frame {
  let frame = top;
  while (frame.parent !== null && frame.space === space && sameStack(frame.slot, slot, space)) frame = frame.parent;
  return frame;
}

function baseOf(frame: Frame): Frame {
  let base = frame;
  while (base.parent !== null) base = base.parent;
  return base;
}

function sameStack(a: number, b: number, space: number): boolean {
  return space === 0 ? (a ^ b) >>> KERNEL_STACK_SHIFT === 0 : Math.abs((a - b) | 0) < USER_REACH;
}
