// Oracle: what the modules mean by ECMA-262 (constants at the top of a module, scopes)
import { expect, it } from 'vitest';
import { inlineConstants } from '../tools/inline-constants.js';

function inlined(modules: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(inlineConstants(new Map(Object.entries(modules))));
}

it('writes numbers where their names are, also what is worked out from them, across modules', () => {
  const { '/a/use.js': text } = inlined({
    '/a/regs.js': 'export const EIP = 9; export const MASK = ~((1 << EIP) - 1);',
    '/a/use.js': "import { EIP, MASK as M } from './regs.js';\nconst two = 2;\nexport const f = (r) => r[EIP] & M - two;",
  });
  expect(text).toBe("import { EIP, MASK as M } from './regs.js';\nconst two = 2;\nexport const f = (r) => r[9] & (-512) - 2;");
});

it('keeps the names of properties, and gives shorthand ones their value', () => {
  const { '/m.js': text } = inlined({ '/m.js': 'const A = 1; const o = { A, B: A, [A]: 2 }; o.A(o[A]); class C { A = A; }' });
  expect(text).toBe('const A = 1; const o = { A: 1, B: 1, [1]: 2 }; o.A(o[1]); class C { A = 1; }');
});

it('leaves alone what may be something else: names declared again inside, strings, what is no constant, what depends on itself, other packages', () => {
  const text =
    "import { Q } from 'pkg'; import { X } from './x.js'; const A = 1; let L = 2; const S = 's'; function f(A) { return A + L + S + Q + X; } { const { B } = f(L); f(B); } const B = 3; f(B);";
  const out = inlined({
    '/m.js': text,
    '/x.js': "import { Y } from './y.js'; export const X = Y;",
    '/y.js': "import { X } from './x.js'; export const Y = X;",
  });
  expect(out['/m.js']).toBe(text);
});

it('does not touch exports and imports', () => {
  const text = "import { A } from './a.js';\nconst B = 5;\nexport { A, B };\nexport { A as C } from './a.js';";
  expect(inlined({ '/m.js': text, '/a.js': 'export const A = 1;' })['/m.js']).toBe(text);
});

it('can be asked for properties of a number', () => {
  expect(inlined({ '/m.js': 'const A = 255; A.toString(16);' })['/m.js']).toBe('const A = 255; (255).toString(16);');
});
