// Oracle: QEMU run (7.2.22): fresh recordings must hold exactly what QEMU was told
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { decodeEvent, type LogEvent } from '../../replay/log/events.js';
import { QCODE_NAMES } from '../../replay/log/qcodes.js';
import { openLog } from '../../replay/log/reader.js';
import { statLog } from '../../replay/log/stat.js';
import { requireTool } from '../tools.js';
import { parseIndependently } from './independent-parser.js';
import { RecordingQemu, send } from './qemu.js';

const BIOS = '/usr/share/seabios/bios-256k.bin';
const ROM = new URL('../recordings/t4.bin', import.meta.url).pathname;
/** SeaBIOS is on its way. */
const BIOS_RUNS = 1_000_000;

const dir = mkdtempSync(join(tmpdir(), 'palindrome-qemu-'));
let qemu: RecordingQemu | null = null;

afterEach(() => qemu?.kill());
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function start(name: string, ...args: string[]): Promise<{ qemu: RecordingQemu; log: string }> {
  const log = join(dir, `${name}.rr`);
  qemu = new RecordingQemu(log, args);
  await qemu.start();
  return { qemu, log };
}

/** All events of a finished log; what stat says agrees with them and with an independent parser. */
function read(log: string): LogEvent[] {
  const cursor = openLog(log);
  const events: LogEvent[] = [];
  while (cursor.next()) events.push(decodeEvent(cursor));
  cursor.close();
  const again = openLog(log);
  const stat = statLog(again);
  again.close();
  expect(stat).toMatchObject({ version: '0xe0200c', release: '7.2 and later', complete: true, events: events.length });
  expect(parseIndependently(readFileSync(log))).toMatchObject({ instructions: stat.instructions, ids: { length: events.length } });
  return events;
}

function asyncEvents(events: readonly LogEvent[]) {
  return events.flatMap((e) => (e.kind === 'async' ? [e.event] : []));
}

const tools = [
  ['qemu-system-i386', 'qemu-system-x86'],
  [BIOS, 'seabios'],
] as const;

describe.skipIf(!tools.every(([tool, debianPackage]) => requireTool(tool, debianPackage)))('a recording of SeaBIOS by QEMU 7.2', () => {
  it('holds the keys and mouse events sent over QMP, in order', async () => {
    const { qemu, log } = await start('keys', '-bios', BIOS);
    const keys = ['a', 'ret', 'f1', 'kp_enter', 'shift', 'pause', 'meta_l', 'yen'];
    for (const data of keys) {
      for (const down of [true, false])
        await qemu.qmp('input-send-event', { events: [{ type: 'key', data: { key: { type: 'qcode', data }, down } }] });
    }
    await qemu.qmp('input-send-event', {
      events: [
        { type: 'rel', data: { axis: 'x', value: 300 } },
        { type: 'rel', data: { axis: 'y', value: -5 } },
        { type: 'btn', data: { button: 'middle', down: true } },
      ],
    });
    await qemu.qmp('send-key', { keys: ['ctrl', 'c'].map((data) => ({ type: 'qcode', data })), 'hold-time': 1 });
    await qemu.turns(40);
    await qemu.quit();
    const events = read(log);
    const key = (name: string, down: boolean) => ({ kind: 'key', qcode: QCODE_NAMES.indexOf(name), down });
    const input = asyncEvents(events).flatMap((e) => (e.kind === 'input' ? [e.event] : []));
    expect(input).toEqual([
      ...keys.flatMap((name) => [key(name, true), key(name, false)]),
      { kind: 'rel', axis: 0, value: 300 },
      { kind: 'rel', axis: 1, value: -5 },
      { kind: 'button', button: 1, down: true },
      key('ctrl', true),
      key('c', true),
      key('c', false),
      key('ctrl', false),
    ]);
    expect(asyncEvents(events).filter((e) => e.kind === 'input-sync').length).toBe(2 * keys.length + 1 + 4);
    expect(events.filter((e) => e.kind === 'shutdown').map((e) => e.cause)).toEqual(['host-qmp-quit', 'host-signal']);
  });

  it('holds the characters that came in on its serial ports', async () => {
    const paths = ['a', 'b'].map((n) => join(dir, `serial-${n}`));
    const serials = paths.flatMap((path) => ['-serial', `unix:${path},server=on,wait=off`]);
    const { qemu, log } = await start('serial', '-bios', BIOS, ...serials);
    await qemu.reach(BIOS_RUNS);
    const open = [await send(paths[1]!, Uint8Array.of(0x48)), await send(paths[0]!, Uint8Array.of(0xff))];
    await qemu.turns(10);
    await qemu.quit();
    for (const o of open) o.done();
    const chars = asyncEvents(read(log)).filter((e) => e.kind === 'char-read');
    expect(chars.sort((a, b) => a.device - b.device)).toEqual([
      { kind: 'char-read', device: 0, bytes: Uint8Array.of(0xff) },
      { kind: 'char-read', device: 1, bytes: Uint8Array.of(0x48) },
    ]);
  });

  it('holds the frames that came in through filter-replay', async () => {
    const path = join(dir, 'net');
    const net = ['-netdev', `stream,id=n0,server=on,addr.type=unix,addr.path=${path}`, '-device', 'rtl8139,netdev=n0,romfile='];
    const { qemu, log } = await start('net', '-bios', BIOS, ...net, '-object', 'filter-replay,id=r0,netdev=n0');
    const frames = [60, 61, 1514].map((length) => Uint8Array.from({ length }, (_, i) => (i < 6 ? 0xff : i * length)));
    const stream = Buffer.concat(frames.flatMap((f) => [Buffer.from(Uint32Array.of(f.length).buffer).swap32(), f]));
    await qemu.reach(BIOS_RUNS);
    const open = await send(path, stream);
    await qemu.turns(10);
    await qemu.quit();
    open.done();
    expect(asyncEvents(read(log)).filter((e) => e.kind === 'net')).toEqual(
      frames.map((bytes) => ({ kind: 'net', filter: 0, flags: 0, bytes })),
    );
  });

  it('holds a completion for every disk request, numbered as they were submitted', async () => {
    const { qemu, log } = await start('disk', ...booting('disk'));
    await booted(qemu, 'disk');
    const stats = (await qemu.qmp('query-blockstats')) as { device: string; stats: { rd_operations: number } }[];
    const reads = stats.find((s) => s.device === 'b0')!.stats.rd_operations;
    await qemu.quit();
    const ids = asyncEvents(read(log)).flatMap((e) => (e.kind === 'block' ? [e.id] : []));
    expect(ids.length).toBeGreaterThanOrEqual(6);
    expect(ids.length).toBeLessThanOrEqual(reads);
    expect(ids).toEqual(ids.map((_, i) => ids[0]! + i));
  });

  it('holds how many frames of sound the host played', async () => {
    const { qemu, log } = await start('sound', '-M', 'pc,pcspk-audiodev=snd0', '-audiodev', 'none,id=snd0', ...booting('sound'));
    await booted(qemu, 'sound');
    await qemu.turns(20);
    await qemu.quit();
    const played = read(log).flatMap((e) => (e.kind === 'audio-out' ? [e.played] : []));
    expect(played.length).toBeGreaterThan(5);
    for (const frames of played) expect(frames).toBeLessThan(44_100);
  });
});

describe.skipIf(!requireTool('qemu-system-i386', 'qemu-system-x86'))(
  'a recording of a guest that reads its serial port, by QEMU 7.2',
  () => {
    it('holds a text character by character', async () => {
      const path = join(dir, 'serial-t4');
      const { qemu, log } = await start('t4', '-cpu', 'qemu32,-apic', '-bios', ROM, '-serial', `unix:${path},server=on,wait=off`);
      const text = 'Hello, \x1b[1mworld\n';
      await qemu.turns(3);
      const open = await send(path, Buffer.from(text, 'latin1'));
      await qemu.turns(40);
      await qemu.quit();
      open.done();
      const chars = asyncEvents(read(log)).flatMap((e) => (e.kind === 'char-read' ? [...e.bytes] : []));
      expect(String.fromCharCode(...chars)).toBe(text);
    });
  },
);

/** Options for a machine that boots from a disk behind blkreplay, whose port 0xe9 goes to a file. */
function booting(name: string): string[] {
  const image = join(dir, `${name}.img`);
  writeFileSync(image, bootSector());
  const disk = ['-drive', `file=${image},if=none,format=raw,snapshot=on,id=d0`, '-drive', 'driver=blkreplay,if=none,image=d0,id=b0'];
  return ['-bios', BIOS, ...disk, '-device', 'ide-hd,drive=b0', '-debugcon', `file:${join(dir, `${name}.txt`)}`];
}

async function booted(qemu: RecordingQemu, name: string): Promise<void> {
  while (readFileSync(join(dir, `${name}.txt`), 'latin1') !== 'D') {
    await qemu.icount();
    await sleep(10);
  }
}

/** A boot sector that reads five sectors, one by one, through INT 13h, turns the speaker on, writes D to port 0xe9 and halts. */
function bootSector(): Uint8Array {
  const image = new Uint8Array(1 << 16);
  image.set([
    ...[0xb1, 0x02], // mov cl, 2: the sector
    ...[0x51, 0xb8, 0x01, 0x02], // again: push cx; mov ax, 0x0201
    ...[0xb5, 0x00, 0xba, 0x80, 0x00], // mov ch, 0; mov dx, 0x0080
    ...[0xbb, 0x00, 0x80, 0xcd, 0x13], // mov bx, 0x8000; int 0x13
    ...[0x59, 0xfe, 0xc1, 0x80, 0xf9, 0x07], // pop cx; inc cl; cmp cl, 7
    ...[0x75, 0xea], // jne again
    ...[0xb0, 0xb6, 0xe6, 0x43, 0xb0, 0x00, 0xe6, 0x42], // PIT channel 2: square wave,
    ...[0xb0, 0x04, 0xe6, 0x42], // 1193182 / 1024 Hz
    ...[0xe4, 0x61, 0x0c, 0x03, 0xe6, 0x61], // in al, 0x61; or al, 3; out 0x61, al
    ...[0xb0, 0x44, 0xe6, 0xe9], // mov al, 'D'; out 0xe9, al
    ...[0xf4, 0xeb, 0xfd], // hlt; jmp back to it
  ]);
  image.set([0x55, 0xaa], 510);
  return image;
}
