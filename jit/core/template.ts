import { parse } from 'acorn';
import type { Expression, Node, Statement } from 'estree';
import { type Filling, identifier, integer } from './estree.js';

/**
 * Code templates: JavaScript written as JavaScript, parsed once with acorn and instantiated with nodes, identifiers and integers.
 *
 *     js.expr`${a} + ${b} | 0`
 *     js.stat`if (${condition}) { ${statements}; }`
 *
 * The holes are syntax, not text, so precedence cannot go wrong and nothing can be injected.
 */

type Fillings = readonly Filling[];
type Instantiate = (fillings: Fillings) => unknown;

/** Name that stands for hole number n while acorn parses the template. */
const HOLE = '$$hole';

const parsed = new WeakMap<TemplateStringsArray, Instantiate>();

function holeNumber(node: unknown): number {
  const n = node as Node | null;
  if (n?.type !== 'Identifier' || !n.name.startsWith(HOLE)) return -1;
  return Number(n.name.slice(HOLE.length));
}

function fill(filling: Filling): unknown {
  if (typeof filling === 'number') return integer(filling);
  if (typeof filling === 'string') return identifier(filling);
  return filling;
}

/** Turns a parsed node into a function that rebuilds it around its holes; parts without holes are shared. */
function prepare(node: unknown): Instantiate | null {
  if (Array.isArray(node)) return prepareList(node);
  if (node === null || typeof node !== 'object') return null;
  const hole = holeNumber(node);
  if (hole >= 0) return (f) => fill(f[hole]!);
  const holes: [string, Instantiate][] = [];
  for (const [key, value] of Object.entries(node)) {
    const inner = prepare(value);
    if (inner !== null) holes.push([key, inner]);
  }
  if (holes.length === 0) return null;
  return (f) => {
    const copy: Record<string, unknown> = { ...node };
    for (const [key, inner] of holes) copy[key] = inner(f);
    return copy;
  };
}

/** Lists: a hole that stands as a whole statement takes a statement or a list of them. */
function prepareList(list: unknown[]): Instantiate | null {
  const parts = list.map((item) => {
    const statement = item as Statement | null;
    const hole = statement?.type === 'ExpressionStatement' ? holeNumber(statement.expression) : -1;
    return hole >= 0 ? (f: Fillings) => asStatements(f[hole]!) : prepare(item);
  });
  if (parts.every((p) => p === null)) return null;
  return (f) =>
    list.flatMap((item, i) => {
      const part = parts[i];
      return part === null || part === undefined ? [item] : part(f);
    });
}

function asStatements(filling: Filling): unknown {
  if (Array.isArray(filling)) return filling;
  const node = fill(filling) as Node;
  return node.type.endsWith('Statement') || node.type.endsWith('Declaration') ? node : { type: 'ExpressionStatement', expression: node };
}

/** Drops acorn's positions: they would only be carried along. */
function strip(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(strip);
  if (node === null || typeof node !== 'object') return node;
  const copy: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(node)) if (key !== 'start' && key !== 'end') copy[key] = strip(value);
  return copy;
}

function instantiate(strings: TemplateStringsArray, fillings: Fillings): Statement[] {
  let make = parsed.get(strings);
  if (make === undefined) {
    const text = strings.reduce((all, part, i) => `${all}${HOLE}${i - 1}${part}`);
    const program = parse(text, { ecmaVersion: 2022, allowReturnOutsideFunction: true, sourceType: 'script' });
    const body = strip(program.body) as unknown[];
    make = prepareList(body) ?? (() => body);
    parsed.set(strings, make);
  }
  return make(fillings) as Statement[];
}

/** Templates for expressions, one statement and lists of statements. */
export const js = {
  expr(strings: TemplateStringsArray, ...fillings: Filling[]): Expression {
    const [only] = instantiate(strings, fillings);
    if (only?.type !== 'ExpressionStatement') throw new SyntaxError(`template is not an expression: ${strings.join('…')}`);
    return only.expression;
  },
  stat(strings: TemplateStringsArray, ...fillings: Filling[]): Statement {
    const all = instantiate(strings, fillings);
    if (all.length !== 1) throw new SyntaxError(`template is not one statement: ${strings.join('…')}`);
    return all[0]!;
  },
  list(strings: TemplateStringsArray, ...fillings: Filling[]): Statement[] {
    return instantiate(strings, fillings);
  },
};
