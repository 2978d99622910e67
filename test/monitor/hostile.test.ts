// Oracle: self-consistency over random input (seed printed by fast-check): every line and request is answered, in order, and within bounds.
import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TelnetInput, telnetOutput } from '../../src/cli/telnet.js';
import { MAX_LINE_BYTES } from '../../src/monitor/hmp.js';
import { serveHuman, serveMachineProtocol } from '../../src/monitor/monitor-server.js';
import { puppetMonitor } from './puppet.js';

const COMMANDS =
  'x xp print p info replay_break replay_seek replay_delete_break replay_events sendkey mouse_move mouse_button help savevm loadvm delvm when step reverse_step stop cont system_reset system_powerdown go_live'.split(
    ' ',
  );
/** What means something to some command, and what nearly does. */
const PIECES = [
  ...[
    '/',
    '/9',
    '/x',
    '/1i',
    '/65536gx',
    '/99999999999x',
    '$eip',
    '$pc',
    '$cs.base',
    '$',
    '(',
    ')',
    '((',
    '-',
    '--',
    '+',
    '*',
    '/0',
    '%',
    '~',
    "'",
    "'a'",
    '"',
  ],
  ...[
    '"a\\',
    '\\n',
    '0x',
    '0xffffffffffffffff',
    '99999999999999999999',
    '-1',
    '1e9',
    'ctrl-a',
    'a-b',
    '-a',
    '-f',
    '-e',
    '100 1',
    'é',
    '\u0000',
    '\u001b[A',
    '__proto__',
    'registers',
    'mtree',
  ],
  ...['<', 'snapshots', 'block', 'status', 'constructor', 'toString', 'a'.repeat(300), '('.repeat(200), '-'.repeat(500), '~'.repeat(900)],
];
const line = fc.oneof(
  fc
    .tuple(fc.constantFrom(...COMMANDS), fc.array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 20 })), { maxLength: 6 }))
    .map(([c, a]) => `${c} ${a.join(' ')}`),
  fc.string({ maxLength: 100 }),
);
const flat = (text: string): string => text.replaceAll(/[\r\n]/g, ' ');

describe('the human monitor', () => {
  it('answers any line in bounded words', async () => {
    const { human } = puppetMonitor('none');
    await fc.assert(
      fc.asyncProperty(line, async (text) => {
        const said = await human.execute(text);
        expect(said).toMatch(/^$|\n$/);
        expect(said.length).toBeLessThan(6_000_000);
      }),
      { numRuns: 1500 },
    );
  });

  it('prompts once for each line, however the bytes come and however long they are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(line.map(flat), { maxLength: 12 }), fc.integer({ min: 1, max: 40 }), async (lines, cut) => {
        const { human } = puppetMonitor('none');
        const [input, output] = [new PassThrough(), new PassThrough()];
        let printed = '';
        output.setEncoding('utf8').on('data', (text: string) => {
          printed += text;
        });
        serveHuman(human, input, output);
        const bytes = Buffer.from([...lines, 'x'.repeat(3 * MAX_LINE_BYTES), 'when'].map((l) => `${l}\n`).join(''));
        for (let at = 0; at < bytes.length; at += at < 2000 ? cut : 4000) input.write(bytes.subarray(at, at + (at < 2000 ? cut : 4000)));
        while (!printed.endsWith('220414\r\n(qemu) ')) await new Promise(setImmediate);
        expect(printed.split('(qemu) ').length).toBeGreaterThanOrEqual(lines.length + 4);
      }),
      { numRuns: 40 },
    );
  });
});

const names = fc.constantFrom(
  ...'stop cont send-key input-send-event replay-seek replay-break human-monitor-command query-block screendump system_reset quit __proto__ qmp_capabilities query-replay'.split(
    ' ',
  ),
);
const keyish = fc.oneof(
  fc.constantFrom(
    'keys',
    'events',
    'icount',
    'command-line',
    'type',
    'data',
    'axis',
    'button',
    'down',
    'key',
    'value',
    'device',
    'filename',
    'format',
  ),
  fc.string({ maxLength: 5 }),
);
const valueish = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<unknown>(
      'qcode',
      'number',
      'a',
      'rel',
      'abs',
      'btn',
      'key',
      'x',
      'left',
      true,
      null,
      -1,
      1.5,
      1e300,
      2 ** 53,
      'info registers',
      '/nonexistent/y',
    ),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(keyish, tie('value'), { maxKeys: 4 }),
  ),
})).value;

describe('QMP', () => {
  it('answers any request with an object, in order', async () => {
    const { control, human } = puppetMonitor('none');
    const [input, output] = [new PassThrough(), new PassThrough()];
    const replies: { id?: unknown; return?: unknown; error?: { class: string; desc: string } }[] = [];
    let text = '';
    output.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
      const whole = text.split('\r\n');
      text = whole.pop()!;
      for (const l of whole) replies.push(JSON.parse(l) as object);
    });
    serveMachineProtocol(control, human, input, output);
    input.write('{"execute":"qmp_capabilities"}');
    let id = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(names, valueish), { maxLength: 8 }), async (requests) => {
        const first = id;
        for (const [execute, args] of requests) input.write(JSON.stringify({ execute, arguments: args, id: id++ }));
        input.write(`${JSON.stringify({ execute: 'query-name', id: id++ })}`);
        const isOurs = (r: (typeof replies)[number]): boolean => typeof r.id === 'number' && r.id >= first;
        while (!replies.some((r) => r.id === id - 1)) await new Promise(setImmediate);
        expect(replies.filter(isOurs).map((r) => r.id)).toEqual(Array.from({ length: id - first }, (_, k) => first + k));
        for (const r of replies.filter(isOurs))
          expect('return' in r || (r.error!.desc.length > 0 && r.error!.desc.length < 70_000)).toBe(true);
        replies.length = 0;
      }),
      { numRuns: 150 },
    );
  });

  it('goes on behind bytes that are no JSON', async () => {
    const { control, human } = puppetMonitor('none');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.string({ maxLength: 30 }), fc.constantFrom('{', '}', '[', ']', '"', '\\', '{"', '"}', '{"execute":', 'nul')), {
          maxLength: 12,
        }),
        async (pieces) => {
          const [input, output] = [new PassThrough(), new PassThrough()];
          let text = '';
          output.setEncoding('utf8').on('data', (piece: string) => {
            text += piece;
          });
          serveMachineProtocol(control, human, input, output);
          for (const piece of pieces) input.write(piece.replaceAll('\n', ' '));
          // A line feed ends a string; closing brackets end what is open.
          input.write(`\n${']'.repeat(400)}\n{"execute":"qmp_capabilities","id":1}\n{"execute":"query-name","id":2}`);
          for (let tries = 0; !text.includes('"id":2') && tries < 1000; tries++) await new Promise(setImmediate);
          expect(text).toContain('"id":2');
        },
      ),
      { numRuns: 150 },
    );
  });
});

it('what comes by telnet is what was typed, however it is cut and whatever commands are between', () => {
  const command = fc.oneof(
    fc.tuple(fc.integer({ min: 0xfb, max: 0xfe }), fc.integer({ min: 0, max: 255 })).map(([verb, option]) => [0xff, verb, option]),
    fc.array(fc.integer({ min: 0, max: 0xfe }), { maxLength: 5 }).map((of) => [0xff, 0xfa, ...of, 0xff, 0xf0]),
    fc.integer({ min: 0xf1, max: 0xf9 }).map((verb) => [0xff, verb]),
  );
  const typed = fc.uint8Array({ maxLength: 10 }).map((bytes) => bytes.filter((b) => b !== 0 && b !== 0x0d));
  fc.assert(
    fc.property(fc.array(fc.tuple(typed, command)), fc.integer({ min: 1, max: 7 }), (parts, cut) => {
      const sent = Uint8Array.from(parts.flatMap(([text, between]) => [...telnetOutput(text), ...between]));
      const input = new TelnetInput();
      const found: number[] = [];
      for (let at = 0; at < sent.length; at += cut) found.push(...input.take(sent.subarray(at, at + cut)));
      expect(found).toEqual(parts.flatMap(([text]) => [...text]));
    }),
  );
});
