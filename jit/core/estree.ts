import type { Expression, Identifier, Literal, Node, Statement, UnaryExpression } from 'estree';

/** What a template's hole accepts: a node, an integer literal, an identifier, or (where a statement stands) a list of statements. */
export type Filling = Expression | Statement | readonly Statement[] | number | string;

const IDENTIFIER = /^[A-Za-z_$][A-Za-z0-9_$]*$/;

const identifiers = new Map<string, Identifier>();

/** An identifier; the same node for the same name. Anything else than a plain name is refused: text never reaches generated code. */
export function identifier(name: string): Identifier {
  let node = identifiers.get(name);
  if (node === undefined) {
    if (!IDENTIFIER.test(name)) throw new RangeError(`not an identifier: ${name}`);
    node = { type: 'Identifier', name };
    identifiers.set(name, node);
  }
  return node;
}

/** An integer literal; the only form in which guest bytes reach generated code. */
export function integer(value: number): Literal | UnaryExpression {
  if (!Number.isInteger(value)) throw new RangeError(`not an integer: ${value}`);
  if (value >= 0) return { type: 'Literal', value, raw: literalText(value) };
  return { type: 'UnaryExpression', operator: '-', prefix: true, argument: { type: 'Literal', value: -value, raw: literalText(-value) } };
}

/** Addresses and masks read better in hexadecimal. */
function literalText(value: number): string {
  return value < 256 ? String(value) : `0x${value.toString(16)}`;
}

/** A statement list as one statement. */
export function block(body: readonly Statement[]): Statement {
  return { type: 'BlockStatement', body: [...body] };
}

/** `break label;` (acorn would refuse it in a template without its loop). */
export function breakTo(label: string): Statement {
  return { type: 'BreakStatement', label: identifier(label) };
}

/** `continue label;` */
export function continueTo(label: string): Statement {
  return { type: 'ContinueStatement', label: identifier(label) };
}

/** `label: { body }` */
export function labelled(label: string, body: readonly Statement[]): Statement {
  return { type: 'LabeledStatement', label: identifier(label), body: block(body) };
}

/** `label: for (;;) { body }` */
export function loopForever(label: string, body: readonly Statement[]): Statement {
  return {
    type: 'LabeledStatement',
    label: identifier(label),
    body: { type: 'ForStatement', init: null, test: null, update: null, body: block(body) },
  };
}

/** The value of an integer literal node, or null for any other expression. */
export function constantOf(node: Node): number | null {
  if (node.type === 'Literal' && typeof node.value === 'number') return node.value;
  if (node.type === 'UnaryExpression' && node.operator === '-') {
    const inner = constantOf(node.argument);
    return inner === null ? null : -inner;
  }
  return null;
}

/** Puts `// text` lines in front of a statement. */
export function comment(statement: Statement, lines: readonly string[]): Statement {
  // `comments` is astring's own field; ESTree has no place for comments.
  return Object.assign({}, statement, { comments: lines.map((text) => ({ type: 'Line', value: ` ${text}` })) });
}
