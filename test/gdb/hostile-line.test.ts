// Oracle: manual ("Debugging with GDB", appendix E); the recording itself: whatever was said on the line, it ends at its last instruction. Seeds printed by fast-check.
import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { framePacket } from '../../src/gdb/packet-reader.js';
import { MAIN, temporaryFolder } from '../cli.js';
import { endWithTest } from '../processes.js';
import { dial, freePort } from '../sockets.js';
import { GdbLine } from './gdb-line.js';
import { ourReplay } from './gdb-script.js';

const folder = temporaryFolder();

/** The instructions of the recording, and where its last one stands. */
const LENGTH = 4721;
const CODE = 0xf0000;

let line: GdbLine;
beforeAll(async () => {
  const port = await freePort();
  line = new GdbLine(await dial(port, ourReplay('t3', port)));
});

let probes = 1_000_000;

const hexOf = (text: string): string => Buffer.from(text).toString('hex');

/** Asks the monitor, and waits for an answer as expected: before it there may be others, and behind it that the machine has stopped. */
async function probe(command: string, answer: RegExp): Promise<RegExpExecArray> {
  line.write(framePacket(`qRcmd,${hexOf(command)}`));
  const found = await line.until(answer);
  await line.until(/\$OK#9a/);
  return found;
}

/** Waits for the answer to a question that nobody else asks: what came before is done. */
async function answered(): Promise<void> {
  const number = probes++;
  await probe(`p/d ${number}`, new RegExp(`O${hexOf(`${number}\n`)}#`));
}

/** The machine stands, so everything that was to be said has been. */
async function quiet(): Promise<void> {
  await answered();
  const status = new RegExp(`O${hexOf('VM status: ')}([0-9a-f]*)#`);
  while ((await probe('info status', status))[1] === hexOf('running\n')) await sleep(20);
}

async function endOfRecording(): Promise<string[]> {
  await quiet();
  // Asking why it stopped takes all breakpoints away, going back everything that was written.
  await line.ask('?');
  expect(await line.monitor('replay_delete_break')).toBe('');
  if ((await line.monitor('when')) !== '0\n') await line.ask('bc');
  expect(await line.monitor('when')).toBe('0\n');
  expect(await line.ask('c')).toMatch(/replaylog:end/);
  return [await line.monitor('when'), await line.ask('g')];
}

const hex = fc.integer({ min: 0, max: 0xffffffff }).map((n) => n.toString(16));
const near = fc.oneof(fc.integer({ min: CODE, max: CODE + 0xfff }), fc.integer({ min: 0x7000, max: 0x9fff })).map((n) => n.toString(16));
const address = fc.oneof(near, near, hex, fc.constantFrom('ffffffffffff8000', '100000000', ''));
const packet = fc.oneof(
  fc.constantFrom(
    ...['c', 's', 'bs', 'bc', 'vCont;s', 'vCont;c', 'vCont;r0,1', 'vCont;r1000,2000:1', 'vCont?', 'vCont;t', 'vCont;s:p1.1;c', 'D', 'D;1'],
  ),
  fc.constantFrom(
    ...[
      '?',
      'g',
      'G',
      'qC',
      'qfThreadInfo',
      'qsThreadInfo',
      'T1',
      'T2',
      'Hg0',
      'Hc-1',
      'Hgp1.1',
      'Hg77',
      'H',
      '!',
      'R',
      'R00',
      'vStopped',
      'vMustReplyEmpty',
    ],
  ),
  fc.constantFrom(
    ...[
      'qXfer:features:read::0,10',
      'qXfer:features:read:target.xml:0,ffffffff',
      'qXfer:features:read:target.xml:ffffffff,1',
      'qXfer:memory-map:read::0,1',
      'qXfer:features:read:target.xml:0,0',
      'qXfer:features:write:x:0:',
    ],
  ),
  fc.tuple(fc.constantFrom('m', 'M', 'X'), address, hex).map(([c, a, n]) => `${c}${a},${n}${c === 'm' ? '' : ':00ff'}`),
  fc.tuple(address, fc.uint8Array({ minLength: 1, maxLength: 8 })).map(([a, b]) => `M${a},${b.length}:${Buffer.from(b).toString('hex')}`),
  fc
    .tuple(fc.constantFrom('Z', 'z'), fc.integer({ min: 0, max: 5 }), address, fc.constantFrom('1', '2', '4', '0', '10000', 'ffffffff'))
    .map(([c, k, a, n]) => `${c}${k},${a},${n}`),
  fc.tuple(fc.integer({ min: 0, max: 60 }), hex).map(([n, v]) => `P${n.toString(16)}=${v.padStart(8, '0')}`),
  fc.tuple(fc.integer({ min: 0, max: 60 }), fc.string({ maxLength: 40 })).map(([n, v]) => `P${n.toString(16)}=${v}`),
  fc.string({ maxLength: 200 }).map((text) => `G${Buffer.from(text).toString('hex')}`),
  fc
    .constantFrom(
      'info registers',
      'x /4xb 0',
      'replay_seek 100',
      'replay_seek 99999999',
      'replay_break 50',
      'reverse_step',
      'loadvm nobody',
      'nonsense',
    )
    .map((c) => `qRcmd,${Buffer.from(c).toString('hex')}`),
);
const said = fc.oneof(
  { weight: 6, arbitrary: packet.map((text) => framePacket(text)) },
  { weight: 1, arbitrary: packet.map((text) => Buffer.from(`$${text}#00`, 'latin1')) },
  { weight: 1, arbitrary: fc.constantFrom('\x03', '+', '-', '--', '$', '#', '}', '*', '$$', '\x03\x03').map((text) => Buffer.from(text)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)) },
);

describe('a real machine behind a line on which anything is said', () => {
  it('takes packets that come byte by byte, asks for damaged ones again, and sends its own again when asked', async () => {
    const whole = await line.ask('mffff0,10');
    for (const byte of framePacket('mffff0,10')) {
      line.write(Uint8Array.of(byte));
      await new Promise(setImmediate);
    }
    expect((await line.until(/\+\$([^#]*)#[0-9a-f]{2}/))[1]).toBe(whole);
    line.write('-');
    expect((await line.until(/\$([^#]*)#[0-9a-f]{2}/))[1]).toBe(whole);
    line.write('$mffff0,10#00');
    await line.until(/^-/);
    expect(await line.ask('qC')).toBe('QC01');
  });

  it('answers on, and plays its recording to the same end', async () => {
    const end = await endOfRecording();
    expect(end[0]).toBe(`${LENGTH}\n`);
    await fc.assert(
      fc.asyncProperty(fc.array(said, { minLength: 4, maxLength: 25 }), fc.integer({ min: 1, max: 30 }), async (pieces, cut) => {
        const bytes = Buffer.concat(pieces);
        for (let at = 0; at < bytes.length; at += cut) line.write(bytes.subarray(at, at + cut));
        // An end for what was begun, and for what runs.
        line.write('#00\x03');
        await answered();
      }),
      { numRuns: 150 },
    );
    // Asked to stop, it says that it has.
    expect(await endOfRecording()).toEqual(end);
  });

  it('sets, meets and removes ten thousand breakpoints, forwards and backwards', async () => {
    await endOfRecording();
    await line.ask('bc');
    const each = async (kind: 'Z' | 'z'): Promise<void> => {
      for (let k = 0; k < 10_000; k += 500) {
        const batch = Array.from({ length: 500 }, (_, n) => framePacket(`${kind}0,${(CODE + k + n).toString(16)},1`));
        line.write(Buffer.concat(batch));
        for (let n = 0; n < 500; n++) expect((await line.until(/\$([^#]*)#../))[1]).toBe('OK');
      }
    };
    await each('Z');
    const place = async (): Promise<string> => `${await line.monitor('when')}${await line.ask('p8')}`;
    const met: string[] = [];
    for (let k = 0; k < 40; k++) {
      // gdb steps off a breakpoint before it continues.
      await line.ask('s');
      expect(await line.ask('c')).toBe('T05thread:01;');
      met.push(await place());
    }
    expect(new Set(met).size).toBe(40);
    for (const before of met.slice(0, -1).reverse()) expect([await line.ask('bc'), await place()]).toEqual(['T05thread:01;', before]);
    expect(await line.ask('bc')).toBe('T05thread:01;replaylog:begin;');
    await each('z');
    expect(await line.ask('z0,f0000,1')).toBe('E22');
    expect(await line.ask('c')).toMatch(/replaylog:end/);
    expect(await line.monitor('when')).toBe(`${LENGTH}\n`);
  });
});

it('going back is given up when gdb asks, and the machine stands where it stood', async () => {
  // inc word [0x500]; jmp to it
  const rom = Buffer.alloc(65536);
  rom.set([0xff, 0x06, 0x00, 0x05, 0xeb, 0xfa], 0xfff0);
  const bios = join(folder, 'turn.bin');
  writeFileSync(bios, rom);
  const log = join(folder, 'turn.rr');
  const made = spawnSync(process.execPath, [
    MAIN,
    'record',
    log,
    '--bios',
    bios,
    '--memory',
    '8M',
    '--nodefaults',
    '--until',
    '60000000',
    '--checkpoint-every',
    'off',
  ]);
  expect(made.status).toBe(0);
  const port = await freePort();
  const program = endWithTest(spawn(process.execPath, [MAIN, 'debug', log, '--gdb', `tcp:127.0.0.1:${port}`], { stdio: 'ignore' }));
  const gdb = new GdbLine(await dial(port, program));
  expect(await gdb.ask('c')).toMatch(/replaylog:end/);
  const [when, registers] = [await gdb.monitor('when'), await gdb.ask('g')];
  expect(await gdb.ask('Z3,600,1')).toBe('OK');
  /** What it says to being asked to give up after so long. */
  const givenUp = async (afterMs: number): Promise<string> => {
    gdb.write(framePacket('bc'));
    await sleep(afterMs);
    gdb.write('\x03');
    return (await gdb.until(/\$([^#]*)#../))[1]!;
  };
  let said = await givenUp(150);
  // It may be through by then, on a host that lets it run and us wait.
  for (let tries = 0; said === 'T05thread:01;replaylog:begin;' && tries < 20; tries++) {
    expect(await gdb.ask('c')).toMatch(/replaylog:end/);
    said = await givenUp(50);
  }
  expect(said).toBe('T02thread:01;');
  expect([await gdb.monitor('when'), await gdb.ask('g')]).toEqual([when, registers]);
  gdb.end();
});
