// Longer than most: one table of packets, and what they share.

import type { Motion, StopCause, WatchKind, Watchpoint } from '../core/debug-target.js';
import { type DebuggedMachine, nextStop } from '../debug/machine-thread.js';
import { TARGET_DESCRIPTION } from './i386-description.js';
import { framePacket, MAX_PACKET_BYTES, PacketReader, type Received } from './packet-reader.js';
import { REGISTER_COUNT, registerBytes, registerHex, registerWrite } from './register-file.js';
import { stopReply } from './stop-reply.js';

/** Bytes of memory that one packet reads at most. */
const MAX_READ_BYTES = 1 << 20;
const MAX_BREAKPOINTS = 1 << 16;
const MAX_WATCHED_BYTES = 1 << 24;

/** errno values that QEMU answers with. */
const BAD_VALUE = 'E22';
const BAD_ADDRESS = 'E14';

/** What a session needs besides the machine. */
export interface GdbSurroundings {
  /** Sends bytes to the debugger. */
  send(bytes: Buffer): void;
  /** Executes a monitor command, and gives what it says; null: there is no monitor. */
  readonly monitor: ((line: string) => Promise<string>) | null;
  /** The debugger wants the program to end. */
  quit(): void;
}

/** One debugger on the line ("Debugging with GDB", appendix E; answers as QEMU's). One packet is worked on at a time. */
export class GdbSession {
  private readonly machine: DebuggedMachine;
  private readonly around: GdbSurroundings;
  private readonly reader = new PacketReader();
  private readonly unobserve: () => void;
  private queue: Promise<void> = Promise.resolve();
  /** Packets that have come and are not answered. */
  private waiting = 0;
  /** The packet that came last. */
  private newest = '';
  private interrupts = 0;
  /** `interrupts` when the packet that is worked on came. */
  private interruptsBefore = 0;
  private acknowledges = true;
  private multiprocess = false;
  private physicalMemory = false;
  /** The debugger waits to hear of a stop. */
  private resumed = false;
  private last: Buffer | null = null;
  /** How often each is set: gdb may have one by software and one by hardware at an address. */
  private readonly breakpoints = new Map<number, number>();
  private watchpoints: Watchpoint[] = [];
  private closed = false;

  constructor(machine: DebuggedMachine, around: GdbSurroundings) {
    this.machine = machine;
    this.around = around;
    this.unobserve = machine.observe({ stopped: (cause, status) => this.stopped(cause, status.mode !== 'play') });
    void machine.call('pause', {}).catch(() => {});
    void machine.call('attached', {}).catch(() => {});
  }

  /** Bytes from the debugger. Gives how many packets wait now. */
  receive(bytes: Uint8Array): number {
    for (const received of this.reader.take(bytes)) this.accept(received);
    return this.waiting;
  }

  /** Settles when all packets that have come are answered. */
  idle(): Promise<void> {
    return this.queue;
  }

  /** The line is down: its breakpoints go. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.unobserve();
    void this.forgetStops().catch(() => {});
  }

  private accept(received: Received): void {
    switch (received.kind) {
      case 'nak':
        if (this.last !== null) this.around.send(this.last);
        return;
      case 'interrupt':
        this.interrupts++;
        void this.machine.call('pause', {}).catch(() => {});
        return;
      case 'damaged':
        if (this.acknowledges) this.around.send(Buffer.from('-'));
        return;
      case 'packet':
        if (this.acknowledges) this.around.send(Buffer.from('+'));
        // As QEMU: whatever comes while the machine runs stops it.
        if (this.resumed) void this.machine.call('pause', {}).catch(() => {});
        this.enqueue(received.text);
    }
  }

  private enqueue(text: string): void {
    // A debugger that starts us asks again while we are coming up; two answers would be one too many.
    if (text.startsWith('qSupported') && this.waiting > 0 && text === this.newest) return;
    this.newest = text;
    const { interrupts } = this;
    this.waiting++;
    this.queue = this.queue
      .then(() => this.work(text, interrupts))
      .catch(() => {})
      .finally(() => this.waiting--);
  }

  private async work(text: string, interrupts: number): Promise<void> {
    if (this.closed) return;
    this.interruptsBefore = interrupts;
    const reply = await this.packet(text);
    if (reply !== null) this.put(reply);
    if (text === 'QStartNoAckMode') this.acknowledges = false;
  }

  private put(text: string): void {
    if (this.closed) return;
    this.last = framePacket(text);
    this.around.send(this.last);
  }

  private stopped(cause: StopCause, live: boolean): void {
    if (!this.resumed) return;
    this.resumed = false;
    if (cause.kind === 'failed') this.put(`O${Buffer.from(`${cause.message}\n`).toString('hex')}`);
    this.put(stopReply(cause, this.thread, live));
  }

  private get thread(): string {
    return this.multiprocess ? 'p01.01' : '01';
  }

  /** Answers a packet; null: nothing now, or it was sent already. */
  private packet(text: string): Promise<string | null> | string {
    const rest = text.slice(1);
    switch (text[0]) {
      case '!':
      case 'H':
        return 'OK';
      case '?':
        return this.halted();
      case 'T':
        return /^T(p0*1\.)?0*1$/.test(text) ? 'OK' : BAD_VALUE;
      case 'g':
        return this.readAllRegisters();
      case 'G':
        return this.writeAllRegisters(rest);
      case 'p':
        return this.readRegister(rest);
      case 'P':
        return this.writeRegister(rest);
      case 'm':
        return this.readMemory(rest);
      case 'M':
        return this.writeMemory(rest);
      case 'Z':
      case 'z':
        return this.changeStop(text[0] === 'Z', rest);
      case 'c':
      case 's':
        return this.resumeAt(text[0] === 'c' ? 'continue' : 'step', rest);
      case 'C':
      case 'S':
        return this.move({ kind: text[0] === 'C' ? 'continue' : 'step' });
      case 'b':
        return rest === 's' ? this.move({ kind: 'reverse-step' }) : rest === 'c' ? this.move({ kind: 'reverse-continue' }) : '';
      case 'D':
        return this.detach();
      case 'k':
        this.around.quit();
        return 'OK';
      case 'v':
        return this.verbose(rest);
      case 'q':
        return this.query(rest);
      case 'Q':
        return this.set(rest);
      default:
        return '';
    }
  }

  private async halted(): Promise<string> {
    await this.forgetStops();
    return stopReply({ kind: 'debug' }, this.thread, true);
  }

  private async forgetStops(): Promise<void> {
    this.breakpoints.clear();
    this.watchpoints = [];
    await this.machine.call('breakpoints', { addresses: [] });
    await this.machine.call('watchpoints', { watchpoints: [] });
  }

  private async readAllRegisters(): Promise<string> {
    const registers = await this.machine.call('registers', {});
    return Array.from({ length: REGISTER_COUNT }, (_, n) => registerHex(registers, n)).join('');
  }

  private async readRegister(text: string): Promise<string> {
    const registers = await this.machine.call('registers', {});
    return (/^[0-9a-f]{1,8}$/i.test(text) ? registerHex(registers, Number.parseInt(text, 16)) : null) ?? BAD_ADDRESS;
  }

  private async writeAllRegisters(text: string): Promise<string> {
    const bytes = fromHex(text);
    if (bytes === null) return BAD_VALUE;
    for (let n = 0, at = 0; n < REGISTER_COUNT && at + registerBytes(n) <= bytes.length; at += registerBytes(n++))
      await this.putRegister(n, bytes.subarray(at, at + registerBytes(n)));
    return 'OK';
  }

  private async writeRegister(text: string): Promise<string> {
    const match = /^([0-9a-f]{1,8})=([0-9a-f]*)$/i.exec(text);
    const n = match === null ? -1 : Number.parseInt(match[1]!, 16);
    const bytes = fromHex(match?.[2] ?? '');
    if (bytes === null || registerBytes(n) === 0 || bytes.length < registerBytes(n)) return BAD_VALUE;
    await this.putRegister(n, bytes.subarray(0, registerBytes(n)));
    return 'OK';
  }

  private async putRegister(n: number, bytes: Uint8Array): Promise<void> {
    const register = registerWrite(n, bytes);
    if (register !== null) await this.machine.call('writeRegister', { register });
  }

  private get space(): 'physical' | 'virtual' {
    return this.physicalMemory ? 'physical' : 'virtual';
  }

  private async readMemory(text: string): Promise<string> {
    const range = addressAndLength(text);
    if (range === null || range.length > MAX_READ_BYTES) return BAD_VALUE;
    const bytes = await this.machine.call('readMemory', { space: this.space, address: range.address, lengthBytes: range.length });
    return bytes === null ? BAD_ADDRESS : Buffer.from(bytes).toString('hex');
  }

  private async writeMemory(text: string): Promise<string> {
    const colon = text.indexOf(':');
    const range = addressAndLength(text.slice(0, Math.max(colon, 0)));
    const bytes = fromHex(text.slice(colon + 1));
    if (range === null || bytes === null || bytes.length !== range.length) return BAD_VALUE;
    return (await this.machine.call('writeMemory', { space: this.space, address: range.address, bytes })) ? 'OK' : BAD_ADDRESS;
  }

  private async changeStop(insert: boolean, text: string): Promise<string> {
    const type = text[0] ?? '';
    const range = addressAndLength(text.slice(2).split(';')[0]!);
    if (!'01234'.includes(type) || type === '') return '';
    if (range === null || text[1] !== ',') return BAD_VALUE;
    return type < '2' ? this.changeBreakpoint(insert, range.address) : this.changeWatchpoint(insert, type, range);
  }

  private async changeBreakpoint(insert: boolean, address: number): Promise<string> {
    const { breakpoints } = this;
    const times = breakpoints.get(address) ?? 0;
    if (insert ? breakpoints.size >= MAX_BREAKPOINTS && times === 0 : times === 0) return BAD_VALUE;
    if (insert || times > 1) breakpoints.set(address, times + (insert ? 1 : -1));
    else breakpoints.delete(address);
    // Whether one stands there only changes with the first and the last.
    if (times === (insert ? 0 : 1)) await this.machine.call('changeBreakpoint', { address, insert });
    return 'OK';
  }

  private async changeWatchpoint(insert: boolean, type: string, range: Range): Promise<string> {
    const kind = ({ 2: 'write', 3: 'read', 4: 'access' } as Record<string, WatchKind>)[type]!;
    const { address, length: lengthBytes } = range;
    if (lengthBytes === 0 || lengthBytes > MAX_WATCHED_BYTES || address + lengthBytes > 2 ** 32) return BAD_VALUE;
    if (insert) {
      if (this.watchpoints.length >= MAX_BREAKPOINTS) return BAD_VALUE;
      this.watchpoints.push({ kind, address, lengthBytes });
    } else {
      const at = this.watchpoints.findIndex((w) => w.kind === kind && w.address === address && w.lengthBytes === lengthBytes);
      if (at < 0) return BAD_VALUE;
      this.watchpoints.splice(at, 1);
    }
    await this.machine.call('watchpoints', { watchpoints: this.watchpoints });
    return 'OK';
  }

  private async resumeAt(kind: 'continue' | 'step', address: string): Promise<string | null> {
    if (address !== '') {
      if (!/^[0-9a-f]{1,8}$/i.test(address)) return BAD_VALUE;
      await this.machine.call('writeRegister', { register: { kind: 'eip', value: Number.parseInt(address, 16) } });
    }
    return this.move({ kind });
  }

  /** Somebody else may move the machine: a way that ends is waited for, a machine that runs on is stopped. */
  private async standstill(): Promise<void> {
    const { motion } = await this.machine.call('status', {});
    if (motion === null) return;
    const stopped = nextStop(this.machine);
    if (motion === 'continue') await this.machine.call('pause', {});
    await stopped;
  }

  private async move(motion: Motion): Promise<string | null> {
    await this.standstill();
    // Ctrl-C has overtaken it.
    if (this.interrupts !== this.interruptsBefore) return stopReply({ kind: 'paused' }, this.thread, true);
    this.resumed = true;
    const moved = this.machine.call('move', { motion });
    if (this.waiting > 1) void this.machine.call('pause', {}).catch(() => {});
    const refusal = await moved;
    if (refusal === null || refusal === 'running') return null;
    this.resumed = false;
    return refusal === 'not-a-replay' ? BAD_VALUE : BAD_ADDRESS;
  }

  /** As QEMU: a machine without its debugger goes on. */
  private async detach(): Promise<string> {
    await this.forgetStops();
    await this.machine.call('move', { motion: { kind: 'continue' } });
    return 'OK';
  }

  private verbose(text: string): Promise<string | null> | string {
    if (text === 'Cont?') return 'vCont;c;C;s;S';
    if (text.startsWith('Cont')) return this.continueThreads(text.slice(4));
    if (text.startsWith('Attach;')) return /^Attach;0*1$/.test(text) ? stopReply({ kind: 'debug' }, this.thread, true) : BAD_VALUE;
    if (text.startsWith('Kill;')) {
      this.around.quit();
      return 'OK';
    }
    return '';
  }

  /** The first action that is for our only thread counts. */
  private continueThreads(text: string): Promise<string | null> | string {
    const actions = text.split(';').slice(1);
    for (const action of actions) {
      const match = /^(c|s|C[0-9a-f]{2}|S[0-9a-f]{2})(?::(.*))?$/.exec(action);
      if (match === null) return '';
      const thread = match[2];
      if (thread !== undefined && !/^(p(-1|[0-9a-f]+)(\.(-1|[0-9a-f]+))?|-1|[0-9a-f]+)$/.test(thread)) return BAD_VALUE;
      if (thread === undefined || /^(p(-1|0*[01])(\.(-1|0*[01]))?|-1|0*[01])$/.test(thread))
        return this.move({ kind: match[1]![0]!.toLowerCase() === 'c' ? 'continue' : 'step' });
    }
    return actions.length === 0 ? '' : BAD_VALUE;
  }

  private async query(text: string): Promise<string> {
    if (text === 'C') return `QC${this.thread}`;
    if (text === 'fThreadInfo') return `m${this.thread}`;
    if (text === 'sThreadInfo') return 'l';
    if (text.startsWith('ThreadExtraInfo,')) return this.threadInfo();
    if (text.startsWith('Rcmd,')) return this.monitorCommand(text.slice(5));
    if (text === 'Supported' || text.startsWith('Supported:')) return this.supported(text);
    if (text.startsWith('Xfer:features:read:')) return features(text.slice(19));
    if (text === 'Attached' || text.startsWith('Attached:')) return '1';
    if (text === 'qemu.sstepbits') return 'ENABLE=1';
    if (text === 'qemu.sstep') return '0x1';
    if (text.startsWith('qemu.sstep=')) return text === 'qemu.sstep=1' ? 'OK' : BAD_VALUE;
    if (text === 'qemu.Supported') return 'sstepbits;sstep;PhyMemMode';
    if (text === 'qemu.PhyMemMode') return this.physicalMemory ? '1' : '0';
    return '';
  }

  private set(text: string): string {
    if (text === 'StartNoAckMode') return 'OK';
    const physical = /^qemu\.PhyMemMode:([0-9a-f]+)$/i.exec(text);
    if (physical !== null) {
      this.physicalMemory = Number.parseInt(physical[1]!, 16) !== 0;
      return 'OK';
    }
    if (/^qemu\.sstep[:=]/.test(text)) return /^qemu\.sstep[:=]0*1$/.test(text) ? 'OK' : BAD_VALUE;
    return '';
  }

  private async supported(text: string): Promise<string> {
    if (text.includes('multiprocess+')) this.multiprocess = true;
    const { mode } = await this.machine.call('status', {});
    const reverse = mode === 'play' ? ';ReverseStep+;ReverseContinue+' : '';
    return `PacketSize=${MAX_PACKET_BYTES.toString(16)};qXfer:features:read+${reverse};vContSupported+;multiprocess+;QStartNoAckMode+`;
  }

  private async threadInfo(): Promise<string> {
    const { halted } = await this.machine.call('registers', {});
    return Buffer.from(`CPU#0 [${halted ? 'halted ' : 'running'}]`).toString('hex');
  }

  private async monitorCommand(hex: string): Promise<string> {
    const bytes = fromHex(hex);
    const { monitor } = this.around;
    if (monitor === null) return '';
    if (bytes === null) return 'E01';
    const output = await monitor(Buffer.from(bytes).toString('utf8'));
    if (output !== '') this.put(`O${Buffer.from(output).toString('hex')}`);
    // gdb waits as long as it takes, and then sees the machine where the command sent it.
    const { motion } = await this.machine.call('status', {});
    if (motion !== null && motion !== 'continue') await nextStop(this.machine);
    return 'OK';
  }
}

interface Range {
  readonly address: number;
  readonly length: number;
}

function addressAndLength(text: string): Range | null {
  const match = /^([0-9a-f]{1,16}),([0-9a-f]{1,8})$/i.exec(text);
  if (match === null) return null;
  // Addresses that were sign-extended to 64 bits mean the same here.
  return { address: Number(BigInt.asUintN(32, BigInt(`0x${match[1]}`))), length: Number.parseInt(match[2]!, 16) };
}

function fromHex(text: string): Uint8Array | null {
  return text.length % 2 === 0 && /^[0-9a-f]*$/i.test(text) ? new Uint8Array(Buffer.from(text, 'hex')) : null;
}

function features(text: string): string {
  const match = /^([^:]*):([0-9a-f]{1,8}),([0-9a-f]{1,8})$/i.exec(text);
  if (match === null) return BAD_VALUE;
  const xml = TARGET_DESCRIPTION.get(match[1]!);
  const offset = Number.parseInt(match[2]!, 16);
  if (xml === undefined || offset > xml.length) return 'E00';
  const part = xml.slice(offset, offset + Math.min(Number.parseInt(match[3]!, 16), MAX_PACKET_BYTES / 2));
  return `${offset + part.length < xml.length ? 'm' : 'l'}${part}`;
}
