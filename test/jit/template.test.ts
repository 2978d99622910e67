// Oracle: reference engine (the JavaScript engine itself) and self-consistency
import { describe, expect, it } from 'vitest';
import { compileScript, functionNode, print } from '../../jit/core/compile.js';
import { comment, constantOf, identifier, integer } from '../../jit/core/estree.js';
import { js } from '../../jit/core/template.js';

const text = (...body: Parameters<typeof functionNode>[1]) => print(functionNode('f', body));

describe('code templates', () => {
  it('fill holes as syntax, so that precedence survives', () => {
    const sum = js.expr`${'a'} + ${1}`;
    expect(text(js.stat`return ${sum} * 2;`)).toContain('return (a + 1) * 2;');
  });

  it('print negative and large integers as literals', () => {
    expect(text(js.stat`return ${-1} - ${-2147483648} + ${4294967295};`)).toContain('return -1 - -0x80000000 + 0xffffffff;');
  });

  it('splice lists of statements where a statement hole stands', () => {
    const inner = js.list`a = 1; b = 2;`;
    expect(text(js.stat`if (c) { ${inner}; d = 3; }`).replace(/\s+/g, ' ')).toContain('if (c) { a = 1; b = 2; d = 3; }');
  });

  it('do not share nodes between instances that have holes', () => {
    const make = (n: number) => js.stat`x = ${n};`;
    const [one, two] = [make(1), make(2)];
    expect(text(one, two)).toContain('x = 1;\n  x = 2;');
  });

  it('refuse text that is not an identifier', () => {
    expect(() => identifier('a; process.exit()')).toThrow(RangeError);
    expect(() => js.expr`${'a.b'} + 1`).toThrow(RangeError);
  });

  it('refuse numbers that are not integers', () => {
    expect(() => integer(0.5)).toThrow(RangeError);
    expect(() => integer(Number.NaN)).toThrow(RangeError);
  });

  it('know the value of integer literals', () => {
    expect(constantOf(integer(-7))).toBe(-7);
    expect(constantOf(identifier('a'))).toBeNull();
  });

  it('carry comments in front of statements', () => {
    expect(text(comment(js.stat`a = 1;`, ['first', 'second']))).toContain('// first\n  // second\n  a = 1;');
  });
});

describe('compiling', () => {
  it('binds names once for several functions of one script', () => {
    const seen: number[] = [];
    const f = (n: number) => functionNode(`f${n}`, js.list`push(${n});`);
    const [a, b] = compileScript([f(1), f(2)], { push: (n: number) => seen.push(n) });
    b!();
    a!();
    expect(seen).toEqual([2, 1]);
  });
});
