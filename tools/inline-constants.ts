/**
 * Writes the values of numeric constants in the place of their names, in the built modules of a folder: `const EIP = 9` of one module and `r[EIP]` in another become `r[9]` there. V8 loads what a
 * module imports or exports from a cell each time, looks whether it is initialised and a number, and then checks the bounds of `r[...]` anew; that was a tenth of a replay's time.
 * Lines stay where they are.
 *   node dist/tools/inline-constants.js FOLDER
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Expression, type Identifier, type Program, parse, type VariableDeclarator } from 'acorn';
import { ancestor, full } from 'acorn-walk';

interface Module {
  readonly text: string;
  readonly ast: Program;
  /** Constants at its top. */
  readonly own: ReadonlyMap<string, Expression>;
  /** Local name → module and name there. */
  readonly imported: ReadonlyMap<string, readonly [string, string]>;
}

/** The modules' texts by path, with numeric constants written out. */
export function inlineConstants(texts: ReadonlyMap<string, string>): Map<string, string> {
  const modules = new Map([...texts].map(([path, text]) => [path, read(path, text)]));
  const values = new Values(modules);
  return new Map([...modules].map(([path, module]) => [path, rewritten(path, module, values)]));
}

function read(path: string, text: string): Module {
  const ast = parse(text, { ecmaVersion: 'latest', sourceType: 'module' });
  const own = new Map<string, Expression>();
  const imported = new Map<string, readonly [string, string]>();
  for (const { id, init } of topConstants(ast)) if (id.type === 'Identifier' && init) own.set(id.name, init);
  for (const statement of ast.body) {
    if (statement.type !== 'ImportDeclaration' || !String(statement.source.value).startsWith('.')) continue;
    const from = resolve(dirname(path), String(statement.source.value));
    for (const s of statement.specifiers)
      if (s.type === 'ImportSpecifier' && s.imported.type === 'Identifier') imported.set(s.local.name, [from, s.imported.name]);
  }
  return { text, ast, own, imported };
}

function topConstants(ast: Program): VariableDeclarator[] {
  return ast.body.flatMap((s) => {
    const declaration = s.type === 'ExportNamedDeclaration' ? s.declaration : s;
    return declaration?.type === 'VariableDeclaration' && declaration.kind === 'const' ? declaration.declarations : [];
  });
}

/** What names at the top of modules stand for. */
class Values {
  private readonly modules: ReadonlyMap<string, Module>;
  private readonly known = new Map<string, number | null>();

  constructor(modules: ReadonlyMap<string, Module>) {
    this.modules = modules;
  }

  /** Null: no number, as far as can be told. */
  of(path: string, name: string): number | null {
    const key = `${path}:${name}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    // What depends on itself is no number.
    this.known.set(key, null);
    const value = this.find(path, name);
    this.known.set(key, value);
    return value;
  }

  private find(path: string, name: string): number | null {
    const module = this.modules.get(path);
    const from = module?.imported.get(name);
    if (from !== undefined) return this.of(...from);
    const init = module?.own.get(name);
    return init === undefined ? null : this.evaluate(path, init);
  }

  private evaluate(path: string, node: Expression): number | null {
    if (node.type === 'Literal') return typeof node.value === 'number' ? node.value : null;
    if (node.type === 'Identifier') return this.of(path, node.name);
    if (node.type === 'ParenthesizedExpression') return this.evaluate(path, node.expression);
    if (node.type === 'UnaryExpression') {
      const a = this.evaluate(path, node.argument);
      return a === null ? null : (UNARY[node.operator]?.(a) ?? null);
    }
    if (node.type !== 'BinaryExpression' || node.left.type === 'PrivateIdentifier') return null;
    const [a, b] = [this.evaluate(path, node.left), this.evaluate(path, node.right)];
    return a === null || b === null ? null : (BINARY[node.operator]?.(a, b) ?? null);
  }
}

const UNARY: Readonly<Record<string, (a: number) => number>> = { '-': (a) => -a, '~': (a) => ~a };

const BINARY: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '**': (a, b) => a ** b,
  '|': (a, b) => a | b,
  '&': (a, b) => a & b,
  '^': (a, b) => a ^ b,
  '<<': (a, b) => a << b,
  '>>': (a, b) => a >> b,
  '>>>': (a, b) => a >>> b,
};

function rewritten(path: string, { text, ast, own, imported }: Module, values: Values): string {
  const hidden = declaredInside(ast, own);
  const edits: { from: number; to: number; text: string }[] = [];
  ancestor(ast, {
    Identifier(node, _state, ancestors) {
      const value = hidden.has(node.name) || !(own.has(node.name) || imported.has(node.name)) ? null : values.of(path, node.name);
      if (value === null || !Number.isFinite(value)) return;
      const parent = ancestors.at(-2);
      const isObject = parent?.type === 'MemberExpression' && 'object' in parent && parent.object === node;
      const number = value < 0 || Object.is(value, -0) || isObject ? `(${value})` : `${value}`;
      const short = parent?.type === 'Property' && 'shorthand' in parent && parent.shorthand;
      edits.push({ from: node.start, to: node.end, text: short ? `${node.name}: ${number}` : number });
    },
  });
  edits.sort((a, b) => a.from - b.from);
  let out = '';
  let at = 0;
  for (const edit of edits) {
    out += text.slice(at, edit.from) + edit.text;
    at = edit.to;
  }
  return out + text.slice(at);
}

/** Names that mean something else somewhere in the module: they are left alone. */
function declaredInside(ast: Program, own: ReadonlyMap<string, Expression>): Set<string> {
  const times = new Map<string, number>();
  full(ast, (node, _state, type) => {
    if (type === 'VariablePattern' && node.type === 'Identifier')
      times.set((node as Identifier).name, (times.get((node as Identifier).name) ?? 0) + 1);
  });
  return new Set([...times].filter(([name, n]) => n > (own.has(name) ? 1 : 0)).map(([name]) => name));
}

function main(folder: string): void {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.js'))
    .map((name) => resolve(folder, name));
  const texts = new Map(paths.map((path) => [path, readFileSync(path, 'utf8')]));
  for (const [path, text] of inlineConstants(texts)) if (text !== texts.get(path)) writeFileSync(path, text);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main(process.argv[2]!);
