import type { Generated } from './compile.js';

/** V8's optimising compiler, as far as one can tell it what to do. */
export interface Optimiser {
  /** Has the function optimised in the background, for what it was seen to do so far; the job begins when it is called next. */
  request(generated: Generated): void;
  isOptimised(generated: Generated): boolean;
}

/** Of what %GetOptimizationStatus returns: there is code by TurboFan (V8, src/runtime/runtime.h, OptimizationStatus). */
const TURBOFANNED = 1 << 6;

/** Null without the flag --allow-natives-syntax: V8 then decides by itself, long after a function has become hot. */
export function v8Optimiser(): Optimiser | null {
  try {
    const request = new Function('f', '%OptimizeFunctionOnNextCall(f, "concurrent");') as (f: Generated) => void;
    const status = new Function('f', 'return %GetOptimizationStatus(f);') as (f: Generated) => number;
    return { request, isOptimised: (generated) => (status(generated) & TURBOFANNED) !== 0 };
  } catch (e) {
    if (e instanceof SyntaxError) return null;
    throw e;
  }
}
