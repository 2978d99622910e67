// Oracle: manual ("Debugging with GDB", appendix E: packets, acknowledgements, replies); self-consistency over random bytes.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DebuggedMachine, MachineObserver } from '../../src/debug/machine-thread.js';
import type { DebugCall } from '../../src/debug/messages.js';
import { GdbSession } from '../../src/gdb/gdb-session.js';
import { framePacket, MAX_PACKET_BYTES, PacketReader } from '../../src/gdb/packet-reader.js';

const BYTES = new Uint8Array(10);
const REGISTERS = {
  general: [1, 2, 3, 4, 5, 6, 7, 8],
  eip: 0x12345678,
  eflags: 2,
  segments: Array.from({ length: 6 }, () => ({ selector: 8, base: 0, limit: 0, attributes: 0 })),
  fpuRegisters: Array.from({ length: 8 }, () => BYTES),
  xmm: Array.from({ length: 8 }, () => new Uint8Array(16)),
};

/** A machine that says yes to everything, and remembers what it was asked. */
class Puppet implements DebuggedMachine {
  readonly asked: (readonly [DebugCall, unknown])[] = [];
  observer: MachineObserver = {};
  readonly ended = new Promise<void>(() => {});
  mode = 'play';
  readonly answers: Partial<Record<DebugCall, unknown>> = {};
  call(call: DebugCall, ask: unknown): Promise<never> {
    this.asked.push([call, ask]);
    const all = { status: { mode: this.mode, motion: null }, registers: REGISTERS, writeMemory: true, move: null, ...this.answers };
    return Promise.resolve((all as Record<string, unknown>)[call] ?? null) as Promise<never>;
  }
  observe(observer: MachineObserver): () => void {
    this.observer = observer;
    return () => {};
  }
}

class Line {
  readonly machine = new Puppet();
  sent = '';
  readonly session = new GdbSession(this.machine, {
    send: (bytes) => {
      this.sent += bytes.toString('latin1');
    },
    monitor: (line) => Promise.resolve(`you said ${line}\n`),
    quit: () => {},
  });
  async say(bytes: Uint8Array | string): Promise<string> {
    this.sent = '';
    this.session.receive(Buffer.from(bytes as string, 'latin1'));
    for (let k = 0; k < 100; k++) await Promise.resolve();
    return this.sent;
  }
  /** The reply to a packet, without its frame. */
  async ask(text: string): Promise<string> {
    const reply = await this.say(framePacket(text).toString('latin1'));
    return /^\+?(?:\$(.*)#..)?$/s.exec(reply)?.[1] ?? `(${reply})`;
  }
}

describe('packets', () => {
  it('are taken apart and put together again, whatever they hold and however they are cut', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 40 }), (bytes, cut) => {
        const text = Buffer.from(bytes).toString('latin1');
        const framed = framePacket(text);
        const reader = new PacketReader();
        const found = [];
        for (let at = 0; at < framed.length; at += cut) found.push(...reader.take(framed.subarray(at, at + cut)));
        expect(found).toEqual([{ kind: 'packet', text }]);
      }),
    );
  });

  it('of more than the announced size, or with a wrong checksum, are damaged; what follows is read', () => {
    const reader = new PacketReader();
    const long = framePacket('x'.repeat(MAX_PACKET_BYTES + 1));
    expect(reader.take(Buffer.concat([long, Buffer.from('$g#00$g#67\x03+-')])).map((r) => r.kind)).toEqual([
      ...['damaged', 'damaged', 'packet', 'interrupt', 'ack', 'nak'],
    ]);
  });

  it('may be run-length encoded', () => {
    expect(new PacketReader().take(Buffer.from('$0* #7a'))).toEqual([{ kind: 'packet', text: '0000' }]);
  });
});

describe('a session', () => {
  it('acknowledges until it is told not to, and sends its last packet again when asked', async () => {
    const line = new Line();
    expect(await line.say('$qC#b4')).toBe('+$QC01#f5');
    expect(await line.say('-')).toBe('$QC01#f5');
    expect(await line.say('$qC#00')).toBe('-');
    expect(await line.say('$QStartNoAckMode#b0')).toBe('+$OK#9a');
    expect(await line.say('$qC#b4')).toBe('$QC01#f5');
  });

  it('offers to go back in a replay only', async () => {
    const line = new Line();
    expect(await line.ask('qSupported:multiprocess+;swbreak+')).toContain(';ReverseStep+;ReverseContinue+;');
    expect(await line.ask('?')).toBe('T05thread:p01.01;');
    line.machine.mode = 'none';
    expect(await line.ask('qSupported')).not.toContain('Reverse');
  });

  it('refuses to go back with E22 outside a replay and E14 at the beginning', async () => {
    const line = new Line();
    line.machine.answers.move = 'not-a-replay';
    expect([await line.ask('bs'), await line.ask('bc')]).toEqual(['E22', 'E22']);
    line.machine.answers.move = 'at-the-beginning';
    expect([await line.ask('bs'), await line.ask('bc')]).toEqual(['E14', 'E14']);
  });

  it('tells why the machine stopped', async () => {
    const line = new Line();
    const status = { mode: 'play' } as never;
    const causes = [
      [{ kind: 'debug' }, 'T05thread:01;'],
      [{ kind: 'paused' }, 'T02thread:01;'],
      [{ kind: 'log-begin' }, 'T05thread:01;replaylog:begin;'],
      [{ kind: 'log-end' }, 'T05thread:01;replaylog:end;'],
      [{ kind: 'watchpoint', watchpoint: { kind: 'read', address: 0x8010, lengthBytes: 2 } }, 'T05thread:01;rwatch:00008010;'],
    ] as const;
    for (const [cause, reply] of causes) {
      expect(await line.say(framePacket('c'))).toBe('+');
      line.sent = '';
      line.machine.observer.stopped!(cause, status);
      expect(line.sent).toBe(framePacket(reply).toString('latin1'));
    }
  });

  it('has every action that it announces for vCont, and no other', async () => {
    const line = new Line();
    const announced = (await line.ask('vCont?')).split(';');
    expect(announced).toEqual(['vCont', 'c', 'C', 's', 'S']);
    for (const action of ['c', 'C05', 's', 'S05', 's:1;c', 's:p1.1;c:p1.-1']) {
      // Nothing is answered before the machine stops.
      expect(await line.say(framePacket(`vCont;${action}`))).toBe('+');
      const kind = action.startsWith('c') || action.startsWith('C') ? 'continue' : 'step';
      expect(line.machine.asked.at(-1)).toEqual(['move', { motion: { kind } }]);
      line.machine.observer.stopped!({ kind: 'debug' }, { mode: 'play' } as never);
    }
    // As QEMU: gdb steps through a range by single steps when range stepping is not announced.
    for (const action of ['r1000,1010', 't', 'R', '']) expect([action, await line.ask(`vCont;${action}`)]).toEqual([action, '']);
  });

  it('sets and removes any number of breakpoints and watchpoints, and refuses what makes no sense', async () => {
    const line = new Line();
    for (let k = 0; k < 200; k++) expect(await line.ask(`Z${k % 2},${k.toString(16)},1`)).toBe('OK');
    expect(line.machine.asked.at(-1)).toEqual(['changeBreakpoint', { address: 199, insert: true }]);
    // By software and by hardware at one address: it stands until both are gone.
    expect([await line.ask('Z1,5,1'), await line.ask('z1,5,1'), line.machine.asked.at(-1)]).toEqual([
      'OK',
      'OK',
      ['changeBreakpoint', { address: 199, insert: true }],
    ]);
    expect(await line.ask('z0,5,1')).toBe('OK');
    expect(await line.ask('z0,5,1')).toBe('E22');
    expect([await line.ask('Z2,8010,2'), await line.ask('Z3,1,4'), await line.ask('Z4,2,8')]).toEqual(['OK', 'OK', 'OK']);
    expect(await line.ask('z2,8010,4')).toBe('E22');
    for (const bad of ['Z2,0,0', 'Z2,fffffffe,4', 'Z2,1,ffffffff', 'Z0', 'Z0,', 'Z0,x,1'])
      expect([bad, await line.ask(bad)]).toEqual([bad, 'E22']);
    expect(await line.ask('Z9,1,1')).toBe('');
  });

  it('hands monitor commands on', async () => {
    const line = new Line();
    const reply = await line.say(framePacket(`qRcmd,${Buffer.from('info replay').toString('hex')}`).toString('latin1'));
    expect(reply).toBe(`+${framePacket(`O${Buffer.from('you said info replay\n').toString('hex')}`)}$OK#9a`);
    expect(await line.ask('qRcmd,abc')).toBe('E01');
  });

  it('answers any packet, and any bytes, without failing', async () => {
    const commands = fc.constantFrom(
      ...'!?HTgGpPmMXZzcsCSbDvqQFR'.split(''),
      'vCont;',
      'qXfer:features:read:',
      'qRcmd,',
      'Qqemu.',
      'Z2,',
      'M0,',
    );
    const packet = fc.tuple(commands, fc.string({ maxLength: 40 })).map(([c, rest]) => framePacket(c + rest));
    const noise = fc.uint8Array({ maxLength: 60 }).map((b) => Buffer.from(b));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(packet, noise), { maxLength: 12 }), async (pieces) => {
        const line = new Line();
        for (const piece of pieces) await line.say(piece);
        await line.say('#00\x03');
        line.machine.observer.stopped?.({ kind: 'paused' }, { mode: 'play' } as never);
        expect(await line.say(framePacket('!'))).toContain('$OK#9a');
      }),
      { numRuns: 300 },
    );
  });
});
