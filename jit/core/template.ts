import { parse } from 'acorn';
import type { Expression, Node, Statement } from 'estree';
import { compileArrow } from './compile.js';
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

/**
 * Writes the code that makes a node anew, its holes filled from `f`; null: there are none in it, and all instances may share it. `shared` collects such parts.
 * Code, and not a walk over the node: most of the time that translation takes goes into making nodes.
 */
function maker(node: unknown, shared: unknown[]): string | null {
  if (Array.isArray(node)) return listMaker(node, shared);
  if (node === null || typeof node !== 'object') return null;
  const hole = holeNumber(node);
  if (hole >= 0) return `fill(f[${hole}])`;
  const fields = Object.entries(node).map(([key, value]) => [key, value, maker(value, shared)] as const);
  if (fields.every(([, , code]) => code === null)) return null;
  return `{ ${fields.map(([key, value, code]) => `${key}: ${code ?? constant(value, shared)}`).join(', ')} }`;
}

function constant(value: unknown, shared: unknown[]): string {
  return `shared[${shared.push(value) - 1}]`;
}

/** Lists: a hole that stands as a whole statement takes a statement or a list of them. */
function listMaker(list: unknown[], shared: unknown[]): string | null {
  const parts = list.map((item) => {
    const statement = item as Statement | null;
    const hole = statement?.type === 'ExpressionStatement' ? holeNumber(statement.expression) : -1;
    return hole >= 0 ? `asStatements(f[${hole}])` : maker(item, shared);
  });
  if (parts.every((p) => p === null)) return null;
  const all = parts.map((part, k) => part ?? constant(list[k], shared)).join(', ');
  return parts.some((p) => p?.startsWith('asStatements')) ? `[].concat(${all})` : `[${all}]`;
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
    const shared: unknown[] = [];
    const code = listMaker(body, shared);
    make = code === null ? () => body : compileArrow<Instantiate>('f', code, { shared, fill, asStatements });
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
