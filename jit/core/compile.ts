import { generate } from 'astring';
import type { FunctionExpression, Statement } from 'estree';
import { identifier } from './estree.js';

/** A generated function: no parameters, all it needs is bound when its script is compiled. What the number says is the translator's affair. */
export type Generated = () => number;

/** Names that generated code may use, with their values. One object per CPU, always with the same keys. */
export type Bindings = Readonly<Record<string, unknown>>;

/** A function of generated code, not yet compiled. */
export function functionNode(name: string, body: Statement[], parameters: readonly string[] = []): FunctionExpression {
  return { type: 'FunctionExpression', id: identifier(name), params: parameters.map(identifier), body: { type: 'BlockStatement', body } };
}

/** Half of the text would be indentation, for V8 to read over. */
const COMPACT = { indent: '', lineEnd: ' ' };

/** JavaScript text of a function node, for people. */
export function print(node: FunctionExpression): string {
  return generate(node, { comments: true });
}

/** A function of one parameter from the text of the expression it returns: for our own tools, no guest bytes come here. */
export function compileArrow<T>(parameter: string, expression: string, bindings: Bindings): T {
  const make = new Function(...Object.keys(bindings), `'use strict';\nreturn (${parameter}) => (${expression});`) as (
    ...values: unknown[]
  ) => T;
  return make(...Object.values(bindings));
}

/**
 * Where guest code becomes JavaScript. Several functions share a script: parsing it once costs a quarter of
 * parsing them one by one. `prologue` makes constants for all of them. The brackets around each make V8 compile it at once instead of parsing it twice.
 */
export function compileScript<T = Generated>(
  functions: readonly FunctionExpression[],
  bindings: Bindings,
  prologue: readonly Statement[] = [],
): T[] {
  const constants = prologue.map((s) => generate(s)).join('\n');
  const text = `'use strict';\n${constants}\nreturn [\n${functions.map((f) => `(${generate(f, COMPACT)})`).join(',\n')}\n];`;
  const make = new Function(...Object.keys(bindings), text) as (...values: unknown[]) => T[];
  return make(...Object.values(bindings));
}
