// Oracle: self-consistency (the page's script against a document of a few lines)
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { html } from '../../src/profile/formats/html.js';
import { Assembler, profileProgram } from './guest-program.js';

const HOSTILE = '</script><img onerror=alert(1)>';

/** What the script uses of an element. */
class Element {
  readonly style: Record<string, unknown> = { setProperty: () => {} };
  children: Element[] = [];
  readonly clientWidth = 1000;
  value = '';
  textContent = '';
  className = '';
  onclick = (): void => {};
  oninput = (): void => {};

  append(...children: Element[]): void {
    this.children.push(...children);
  }

  replaceChildren(fragment: Element): void {
    this.children = fragment.children;
  }
}

function open(page: string): (id: string) => Element {
  const [data, script] = [...page.matchAll(/<script[^>]*>([\s\S]*?)<\/script>/g)].map((m) => m[1]!);
  const elements = new Map<string, Element>();
  const getElementById = (id: string): Element => {
    const element = elements.get(id) ?? new Element();
    elements.set(id, element);
    return element;
  };
  getElementById('profile').textContent = data!;
  const document = { getElementById, createElement: () => new Element(), createDocumentFragment: () => new Element() };
  runInNewContext(script!, { document, window: {} });
  return getElementById;
}

describe('the page of a flame graph', () => {
  const a = new Assembler();
  a.label('main').call(HOSTILE).call('small').jmp('main');
  a.label(HOSTILE).nops(29).call('small').ret();
  a.label('small').nops(1).ret();
  const { data } = profileProgram(a, { instructions: 38 * 100, symbols: true });
  const element = open([...html(data, 'title')].join('\n'));
  const boxes = (): [string, unknown, unknown][] => element('graph').children.map((b) => [b.textContent, b.style.left, b.style.top]);

  it('draws callers above what they called, the widest first', () => {
    expect(boxes().sort()).toEqual([
      [HOSTILE, '0px', '34px'],
      ['all', '0px', '0px'],
      ['main', '0px', '17px'],
      ['small', '0px', '51px'],
      ['small', expect.stringMatching(/^868\.4/), '34px'],
    ]);
  });

  it('goes into a function that is clicked, and out again', () => {
    element('graph')
      .children.find((b) => b.textContent === HOSTILE)!
      .onclick();
    expect(element('graph').children.map((b) => b.className.includes('above'))).toEqual([true, true, false, false]);
    element('reset').onclick();
    expect(boxes()).toHaveLength(5);
  });

  it('sums up what a search finds, whatever is searched for', () => {
    const search = element('search');
    for (const [text, found] of [
      ['small', '400 instructions'],
      ['MAIN', '3,800 instructions'],
      ['(+[', '0 instructions'],
    ] as const) {
      search.value = text;
      search.oninput();
      expect(element('status').textContent).toContain(found);
    }
  });
});
