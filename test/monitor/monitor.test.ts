// Oracle: QEMU run (7.2.22): the texts of its monitors; QMP specification; self-consistency over random input.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { snapshotTable } from '../../src/machine/snapshot-table.js';
import { JsonSplitter, MAX_JSON_CHARACTERS } from '../../src/monitor/json-splitter.js';
import { QmpSession } from '../../src/monitor/qmp.js';
import { type Puppet, puppetMonitor } from './puppet.js';

describe('the human monitor', () => {
  it('knows no other commands', async () => {
    expect(await puppetMonitor().say('nonsense 1 2')).toBe("unknown command: 'nonsense'\n");
  });

  it('sets one or several breakpoints in place of the old ones, and moves', async () => {
    const { machine, say } = puppetMonitor();
    expect(await say('replay_break 300000 400_000')).toBe('');
    expect(machine.asked.at(-1)).toEqual(['icountBreaks', { icounts: [300000, 400000] }]);
    expect(await say('replay_seek 0x10')).toBe('');
    expect(machine.asked.at(-1)).toEqual(['move', { motion: { kind: 'seek', icount: 16 } }]);
    expect(await say('when')).toBe('220414\n');
  });

  it("shows registers as QEMU's monitor does after a reset", async () => {
    expect((await puppetMonitor().say('info registers')).split('\n').slice(0, 24)).toEqual([
      '',
      'CPU#0',
      'EAX=00000000 EBX=00000000 ECX=00000000 EDX=00000663',
      'ESI=00000000 EDI=00000000 EBP=00000000 ESP=00000000',
      'EIP=0000fff0 EFL=00000002 [-------] CPL=0 II=0 A20=1 SMM=0 HLT=0',
      'ES =0000 00000000 0000ffff 00009300',
      'CS =f000 ffff0000 0000ffff 00009b00',
      'SS =0000 00000000 0000ffff 00009300',
      'DS =0000 00000000 0000ffff 00009300',
      'FS =0000 00000000 0000ffff 00009300',
      'GS =0000 00000000 0000ffff 00009300',
      'LDT=0000 00000000 0000ffff 00008200',
      'TR =0000 00000000 0000ffff 00008b00',
      'GDT=     00000000 0000ffff',
      'IDT=     00000000 0000ffff',
      'CR0=60000010 CR2=00000000 CR3=00000000 CR4=00000000',
      'DR0=00000000 DR1=00000000 DR2=00000000 DR3=00000000 ',
      'DR6=ffff0ff0 DR7=00000400',
      'EFER=0000000000000000',
      'FCW=037f FSW=0000 [ST=0] FTW=00 MXCSR=00001f80',
      'FPR0=0000000000000000 0000 FPR1=0000000000000000 0000',
      'FPR2=0000000000000000 0000 FPR3=0000000000000000 0000',
      'FPR4=0000000000000000 0000 FPR5=0000000000000000 0000',
      'FPR6=0000000000000000 0000 FPR7=0000000000000000 0000',
    ]);
  });

  it("says what QEMU's documentation says, word for word", async () => {
    const texts: [Puppet['mode'], string, string][] = [
      ['record', 'info replay', "Recording execution 'log.rr': instruction count = 220414"],
      ['play', 'info replay', "Replaying execution 'log.rr': instruction count = 220414"],
      ['none', 'info replay', 'Record/replay is not active'],
      ['play', 'replay_break 220413', 'cannot set breakpoint at the instruction in the past'],
      ['record', 'replay_break 300000', 'setting the breakpoint is allowed only in play mode'],
      ['none', 'replay_delete_break', 'replay breakpoints are allowed only in play mode'],
      ['none', 'replay_seek 300000', 'replay must be enabled to seek'],
      ['play', 'replay_seek -1', 'cannot seek to the specified instruction count'],
    ];
    for (const [mode, line, text] of texts) expect([line, await puppetMonitor(mode).say(line)]).toEqual([line, `${text}\n`]);
    expect(snapshotTable([])[0]!.replace(/\s+/g, ' ').trim()).toBe('ID TAG VM SIZE DATE VM CLOCK ICOUNT');
  });

  it('dumps memory in all formats', async () => {
    const { say } = puppetMonitor();
    expect(await say('x /4xb 0x1000')).toBe('00001000: 0x41 0x42 0x43 0x44\n');
    expect(await say('xp/2xw $eip+0x10')).toBe('0000000000010000: 0x44434241 0x48474645\n');
    expect(await say('x /2cb 0')).toBe("00000000: 'A' 'B'\n");
    expect(await say('x /1dh 0')).toBe('00000000: 16961\n');
    expect(await say('x /1i 0x7c00')).toMatch(/^0x00007c00: {2}41/);
    expect(await say('x /9999999x 0')).toBe('at most 65536 items at a time\nTry "help x" for more information\n');
    expect(await say('x /2q 0')).toBe('invalid char in format: \'q\'\nTry "help x" for more information\n');
    expect(await say('p/d $cs*16+2')).toBe('983042\n');
  });

  it('sends keys and motion to a live machine, not into a replay', async () => {
    const { machine, say } = puppetMonitor('none');
    expect(await say('sendkey ctrl-a')).toBe('');
    expect((machine.asked.at(-1)![1] as { requests: unknown[] }).requests.length).toBe(8);
    expect(await say('sendkey nokey')).toBe('invalid parameter: nokey\n');
    expect(await puppetMonitor().say('sendkey a')).toBe('a replay takes no input\n');
    expect(await say('mouse_move 1 -2')).toBe('');
    expect(await say('mouse_button 1')).toBe('');
  });

  it('takes any line without failing', async () => {
    const { human } = puppetMonitor('none');
    const words = fc.constantFrom(
      'x',
      'xp',
      'info',
      'replay_break',
      'replay_seek',
      'sendkey',
      'mouse_move',
      'print',
      'help',
      'when',
      'step',
    );
    await fc.assert(
      fc.asyncProperty(words, fc.string({ maxLength: 60 }), async (word, rest) => {
        expect(await human.execute(`${word} ${rest}`)).toMatch(/^$|\n$/);
      }),
    );
  });
});

function qmp(mode: Puppet['mode'] = 'play') {
  const { machine, control, human } = puppetMonitor(mode);
  const sent: Record<string, unknown>[] = [];
  const session = new QmpSession(control, human, { send: (line) => sent.push(JSON.parse(line)), now: () => 1500 });
  const ask = async (request: unknown): Promise<unknown> => {
    const before = sent.length;
    session.receive(typeof request === 'string' ? request : JSON.stringify(request));
    for (let k = 0; k < 60; k++) await Promise.resolve();
    return sent.length > before ? sent.at(-1) : null;
  };
  return { machine, sent, ask };
}

describe('QMP', () => {
  it('greets, negotiates, and answers as QEMU does', async () => {
    const { sent, ask, machine } = qmp();
    expect(sent[0]).toHaveProperty('QMP.version.qemu.major', 7);
    const expecting = { class: 'CommandNotFound', desc: "Expecting capabilities negotiation with 'qmp_capabilities'" };
    expect(await ask({ execute: 'query-replay' })).toEqual({ error: expecting });
    expect(await ask({ execute: 'qmp_capabilities' })).toEqual({ return: {} });
    expect(await ask({ execute: 'query-replay', id: 7 })).toEqual({ return: { mode: 'play', filename: 'log.rr', icount: 220414 }, id: 7 });
    expect(await ask({ execute: 'replay-break', arguments: { icount: 300000 } })).toEqual({ return: {} });
    expect(await ask({ execute: 'query-status' })).toEqual({ return: { status: 'prelaunch', singlestep: false, running: false } });
    for (const o of machine.observers) o.resumed?.();
    expect(sent.at(-1)).toEqual({ timestamp: { seconds: 1, microseconds: 500000 }, event: 'RESUME' });
    for (const o of machine.observers) o.stopped?.({ kind: 'paused' }, {} as never);
    expect(sent.at(-1)).toHaveProperty('event', 'STOP');
    expect(await ask({ execute: 'human-monitor-command', arguments: { 'command-line': 'when' } })).toEqual({ return: '220414\r\n' });
  });

  it("says what is wrong in QMP's form", async () => {
    const { ask } = qmp();
    const desc = async (request: unknown) => ((await ask(request)) as { error: { desc: string } }).error.desc;
    await ask({ execute: 'qmp_capabilities' });
    expect(await desc({ execute: 'nope' })).toBe('The command nope has not been found');
    expect(await desc({ execute: 'replay-break' })).toBe("Parameter 'icount' is missing");
    expect(await desc({ execute: 'replay-break', arguments: { icount: 'x' } })).toBe(
      "Invalid parameter type for 'icount', expected: integer",
    );
    expect(await desc({ execute: 'replay-break', arguments: { icount: 1 } })).toBe('cannot set breakpoint at the instruction in the past');
    expect(await desc({ execute: 'stop', arguments: { a: 1 } })).toBe("Parameter 'a' is unexpected");
    expect(await desc({ foo: 1 })).toBe("QMP input member 'foo' is unexpected");
    expect(await desc({})).toBe("QMP input lacks member 'execute'");
    expect(await desc('[1]')).toBe('QMP input must be a JSON object');
    expect(await desc('nonsense\n')).toMatch(/^JSON parse error/);
    expect(await desc({ execute: 'constructor' })).toBe('The command constructor has not been found');
  });

  it('finds the values in a stream, however it is cut, and bounds them', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue().map((v) => ({ v }))), fc.integer({ min: 1, max: 9 }), (values, cut) => {
        const text = values.map((v) => JSON.stringify(v)).join('');
        const splitter = new JsonSplitter();
        const found: (string | null)[] = [];
        for (let at = 0; at < text.length; at += cut) found.push(...splitter.take(text.slice(at, at + cut)));
        expect(found).toEqual(values.map((v) => JSON.stringify(v)));
      }),
    );
    const splitter = new JsonSplitter();
    expect(splitter.take(`{"a":"${'x'.repeat(MAX_JSON_CHARACTERS)}"}\n{}`)).toEqual([null, '{}']);
  });

  it('takes any text without failing', async () => {
    const { ask } = qmp('none');
    await ask({ execute: 'qmp_capabilities' });
    const names = fc.constantFrom(
      'stop',
      'send-key',
      'input-send-event',
      'replay-seek',
      'human-monitor-command',
      'query-block',
      '__proto__',
    );
    await fc.assert(
      fc.asyncProperty(names, fc.jsonValue(), async (execute, args) => {
        expect(await ask(`${JSON.stringify({ execute, arguments: args })}\n`)).not.toBeNull();
      }),
    );
  });
});
