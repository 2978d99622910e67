// Longer than most: one endpoint of TCP, whose parts share all of its state.
import { ByteQueue } from './byte-queue.js';
import type { HostSockets } from './host-sockets.js';
import { CongestionControl } from './tcp-congestion.js';
import { OutOfOrder } from './tcp-out-of-order.js';
import { ACK, FIN, LARGEST_SEGMENT, PSH, RST, SYN, type TcpSegment } from './tcp-segment.js';

/** What is between the host and the guest, at most; the host's end is not read while there is more. */
const SEND_BUFFER = 128 * 1024;
const RECEIVE_WINDOW = 65_535;
const FIRST_TIMEOUT_MS = 1000;
const LEAST_TIMEOUT_MS = 500;
const MOST_TIMEOUT_MS = 60_000;
/** Ten minutes, for a guest that stands still under a debugger. */
const MOST_RETRIES = 15;
/** The guest may repeat its FIN for so long. */
const TIME_WAIT_MS = 10_000;
const DUPLICATES = 3;

type State = 'connecting' | 'syn-sent' | 'syn-received' | 'established' | 'time-wait' | 'closed';

/** What a connection does besides TCP. */
export interface TcpOwner {
  /** Puts a segment on the wire, from the host's address to the guest's. */
  transmit(segment: Pick<TcpSegment, 'sequence' | 'acknowledgment' | 'flags' | 'window' | 'payload'>): void;
  /** The guest sent bytes. */
  received(bytes: Uint8Array): void;
  /** Bytes that the host has not taken yet. */
  readonly unsent: number;
  /** The guest writes no more. */
  ended(): void;
  /** There is room for more of what the host sends. */
  roomAgain(): void;
  /** The connection is over; `reset`: not in good order. */
  closed(reset: boolean): void;
}

/** The distance from `b` to `a`, as sequence numbers have it. */
function distance(a: number, b: number): number {
  return (a - b) | 0;
}

function plus(sequence: number, count: number): number {
  return (sequence + count) >>> 0;
}

/** The end of a TCP connection (RFC 9293) that the guest talks to, with retransmission (RFC 6298) and congestion control (RFC 5681). */
export class TcpConnection {
  state: State;
  private readonly owner: TcpOwner;
  private readonly host: Pick<HostSockets, 'nowMs' | 'after'>;
  private readonly buffer = new ByteQueue();
  private readonly early = new OutOfOrder(RECEIVE_WINDOW);
  private readonly congestion: CongestionControl;
  private readonly firstSequence: number;
  /** Oldest not acknowledged, next to be sent, and behind everything that was ever sent. */
  private unacknowledged: number;
  private next: number;
  private furthest: number;
  private sendWindow = 0;
  /** Sequence and acknowledgment of the segment that the window is from. */
  private windowSequence = 0;
  private windowAcknowledgment = 0;
  private mss = LARGEST_SEGMENT;
  private receiveNext = 0;
  /** Behind what the guest was told it may send. */
  private receiveEdge = 0;
  private hostEnded = false;
  private synAcknowledged = false;
  /** It was sent, and since then nothing had to be sent again. */
  private finSent = false;
  private finAcknowledged = false;
  private guestEnded = false;
  private duplicates = 0;
  /** Until what was sent before a loss is acknowledged; null: nothing is lost. */
  private recoverUntil: number | null = null;
  private retries = 0;
  private timeoutMs = FIRST_TIMEOUT_MS;
  private smoothedMs: number | null = null;
  private variationMs = 0;
  /** What is timed: the sequence that ends it, and when it was sent. */
  private timed: { readonly sequence: number; readonly sentMs: number } | null = null;
  private cancelTimer: (() => void) | null = null;
  private waitingForRoom = false;

  private constructor(owner: TcpOwner, host: Pick<HostSockets, 'nowMs' | 'after' | 'random'>, state: State) {
    this.owner = owner;
    this.host = host;
    this.state = state;
    this.firstSequence = this.unacknowledged = this.next = this.furthest = host.random() >>> 0;
    this.congestion = new CongestionControl(LARGEST_SEGMENT);
  }

  /** The guest sent a SYN; it is answered when the host is connected. */
  static fromGuest(owner: TcpOwner, host: Pick<HostSockets, 'nowMs' | 'after' | 'random'>, syn: TcpSegment): TcpConnection {
    const connection = new TcpConnection(owner, host, 'connecting');
    connection.takeSyn(syn);
    return connection;
  }

  /** Somebody outside connects to the guest. */
  static toGuest(owner: TcpOwner, host: Pick<HostSockets, 'nowMs' | 'after' | 'random'>): TcpConnection {
    const connection = new TcpConnection(owner, host, 'syn-sent');
    connection.sendSyn();
    return connection;
  }

  /** The host's connection has come about. */
  hostConnected(): void {
    if (this.state !== 'connecting') return;
    this.state = 'syn-received';
    this.sendSyn();
  }

  /** Bytes for the guest; false: no more, please, until `roomAgain`. */
  send(bytes: Uint8Array): boolean {
    if (this.state === 'closed' || this.hostEnded) return true;
    this.buffer.push(bytes);
    this.output();
    this.waitingForRoom = this.buffer.length >= SEND_BUFFER;
    return !this.waitingForRoom;
  }

  /** The host writes no more. */
  end(): void {
    if (this.hostEnded) return;
    this.hostEnded = true;
    this.output();
  }

  /** The host has taken what the guest sent. */
  drained(): void {
    if (this.state !== 'established' || this.guestEnded) return;
    const grown = distance(plus(this.receiveNext, this.window()), this.receiveEdge);
    if (grown >= 2 * LARGEST_SEGMENT || distance(this.receiveEdge, this.receiveNext) < LARGEST_SEGMENT) this.acknowledge();
  }

  /** Ends it at once, and tells the guest. */
  abort(): void {
    if (this.state === 'closed') return;
    if (this.state === 'connecting') this.reply(0, RST | ACK);
    else if (this.state !== 'time-wait') this.reply(this.furthest, RST | ACK);
    this.close(true);
  }

  /** Ends it without a word. */
  abandon(): void {
    this.close(true);
  }

  /** A segment from the guest. */
  input(segment: TcpSegment): void {
    if (this.state === 'connecting') {
      if (segment.flags & RST) this.close(true);
    } else if (this.state === 'syn-sent') this.answerToSyn(segment);
    else if (this.state !== 'closed') this.inputSynchronized(segment);
  }

  private takeSyn(segment: TcpSegment): void {
    this.receiveNext = plus(segment.sequence, 1);
    this.receiveEdge = this.receiveNext;
    this.mss = segment.mss;
    this.congestion.mss = segment.mss;
    this.takeWindow(segment);
  }

  private takeWindow({ sequence, acknowledgment, window }: TcpSegment): void {
    this.sendWindow = window;
    this.windowSequence = sequence;
    this.windowAcknowledgment = acknowledgment;
  }

  private answerToSyn(segment: TcpSegment): void {
    const { flags, acknowledgment } = segment;
    const acknowledged = (flags & ACK) !== 0 && acknowledgment === plus(this.firstSequence, 1);
    if (flags & ACK && !acknowledged) {
      if ((flags & RST) === 0) this.reply(acknowledgment, RST);
    } else if (flags & RST) {
      if (acknowledged) this.close(true);
    } else if (flags & SYN && acknowledged) {
      this.takeSyn(segment);
      this.acknowledged(acknowledgment);
      this.state = 'established';
      this.acknowledge();
      this.output();
    }
  }

  private inputSynchronized(segment: TcpSegment): void {
    const { flags, sequence, payload } = segment;
    const length = payload.length + (flags & SYN ? 1 : 0) + (flags & FIN ? 1 : 0);
    if (!this.inWindow(sequence, length)) {
      if ((flags & RST) === 0) this.acknowledge();
      return;
    }
    if (flags & RST) {
      // RFC 5961: a stranger cannot guess the exact number.
      if (sequence === this.receiveNext) this.close(true);
      else this.acknowledge();
      return;
    }
    if (flags & SYN) return this.acknowledge();
    if ((flags & ACK) === 0 || !this.takeAcknowledgment(segment)) return;
    if (length > 0) this.takeData(sequence, payload, (flags & FIN) !== 0);
    this.output();
    this.finishIfDone();
  }

  private inWindow(sequence: number, length: number): boolean {
    const window = Math.max(0, distance(this.receiveEdge, this.receiveNext));
    const inside = (at: number): boolean => distance(at, this.receiveNext) >= 0 && distance(at, this.receiveNext) < window;
    if (length === 0) return sequence === this.receiveNext || inside(sequence);
    // With a closed window, what begins where it should still says something about what we sent.
    return sequence === this.receiveNext || inside(sequence) || inside(plus(sequence, length - 1));
  }

  /** False: the segment says nothing more. */
  private takeAcknowledgment(segment: TcpSegment): boolean {
    const { acknowledgment, window, sequence, payload, flags } = segment;
    const ahead = distance(acknowledgment, this.unacknowledged);
    if (distance(acknowledgment, this.furthest) > 0) {
      if (this.state === 'syn-received') this.reply(acknowledgment, RST);
      else this.acknowledge();
      return false;
    }
    if (this.state === 'syn-received') {
      if (ahead <= 0) return false;
      this.state = 'established';
    }
    const same = window === this.sendWindow && payload.length === 0 && (flags & FIN) === 0;
    if (ahead > 0) this.acknowledged(acknowledgment);
    else if (ahead === 0 && same && this.next !== this.unacknowledged) this.duplicate();
    const newer = distance(sequence, this.windowSequence);
    if (newer > 0 || (newer === 0 && distance(acknowledgment, this.windowAcknowledgment) >= 0)) {
      const opened = this.sendWindow === 0 && window > 0;
      this.takeWindow(segment);
      if (opened) this.windowOpened();
    }
    return true;
  }

  private acknowledged(acknowledgment: number): void {
    const count = distance(acknowledgment, this.unacknowledged);
    const synIncluded = this.synAcknowledged ? 0 : 1;
    this.synAcknowledged = true;
    const { timed } = this;
    if (timed !== null && distance(acknowledgment, timed.sequence) >= 0) {
      this.measured(this.host.nowMs() - timed.sentMs);
      this.timed = null;
    }
    if (count - synIncluded > this.buffer.length) this.finAcknowledged = true;
    this.buffer.drop(Math.min(this.buffer.length, count - synIncluded));
    this.unacknowledged = acknowledgment;
    if (distance(this.next, acknowledgment) < 0) this.next = acknowledgment;
    this.retries = 0;
    this.duplicates = 0;
    // As Linux: the wire works again, even if nothing could be timed.
    this.timeoutMs = this.calculatedTimeout();
    const recovering = this.recoverUntil !== null && distance(acknowledgment, this.recoverUntil) < 0;
    if (recovering) this.repeatFirst();
    else {
      this.recoverUntil = null;
      this.congestion.acknowledged(count);
    }
    this.restartTimer();
    if (this.waitingForRoom && this.buffer.length < SEND_BUFFER / 2) {
      this.waitingForRoom = false;
      this.owner.roomAgain();
    }
  }

  /** The guest lacks something that was sent. */
  private duplicate(): void {
    this.duplicates++;
    if (this.duplicates !== DUPLICATES || this.recoverUntil !== null) return;
    this.recoverUntil = this.furthest;
    this.congestion.lost(distance(this.furthest, this.unacknowledged));
    this.repeatFirst();
  }

  private repeatFirst(): void {
    this.timed = null;
    const bytes = this.buffer.peek(0, this.mss);
    if (bytes.length > 0) this.reply(this.unacknowledged, ACK | PSH, bytes);
    else if (this.finSent && !this.finAcknowledged) this.reply(this.unacknowledged, ACK | FIN);
  }

  private windowOpened(): void {
    this.retries = 0;
    this.timeoutMs = this.calculatedTimeout();
    // What was sent into the closed window is lost.
    this.next = this.unacknowledged;
    this.finSent = false;
    this.restartTimer();
  }

  private takeData(sequence: number, payload: Uint8Array, fin: boolean): void {
    if (this.guestEnded) return this.acknowledge();
    const room = Math.max(0, distance(this.receiveEdge, this.receiveNext));
    const at = distance(sequence, this.receiveNext);
    this.early.add(at, payload, fin, room);
    const { bytes, fin: ended } = this.early.take();
    this.receiveNext = plus(this.receiveNext, bytes.length + (ended ? 1 : 0));
    if (bytes.length > 0) this.owner.received(bytes);
    this.guestEnded = ended;
    if (distance(this.receiveEdge, this.receiveNext) < 0) this.receiveEdge = this.receiveNext;
    this.acknowledge();
    if (ended) this.owner.ended();
  }

  /** What the guest may send; never less than it was told before. */
  private window(): number {
    const promised = distance(this.receiveEdge, this.receiveNext);
    return Math.min(RECEIVE_WINDOW, Math.max(0, promised, RECEIVE_WINDOW - this.owner.unsent));
  }

  /** Behind everything that was ever sent, or it would not be in the guest's window. */
  private acknowledge(): void {
    this.reply(this.furthest, ACK);
  }

  private reply(sequence: number, flags: number, payload: Uint8Array = new Uint8Array(0)): void {
    const window = this.window();
    this.receiveEdge = plus(this.receiveNext, window);
    this.owner.transmit({ sequence, acknowledgment: flags & ACK ? this.receiveNext : 0, flags, window, payload });
  }

  private sendSyn(): void {
    this.reply(this.firstSequence, this.state === 'syn-sent' ? SYN : SYN | ACK);
    this.sent(this.firstSequence, 1);
  }

  /** Notes that sequence numbers were used. */
  private sent(from: number, count: number): void {
    this.next = plus(from, count);
    const fresh = distance(this.next, this.furthest) > 0;
    if (fresh) {
      this.furthest = this.next;
      this.timed ??= { sequence: this.next, sentMs: this.host.nowMs() };
    }
    if (this.cancelTimer === null) this.restartTimer();
  }

  /** Sends what may be sent. */
  private output(): void {
    if (this.state !== 'established') return;
    for (;;) {
      const inFlight = distance(this.next, this.unacknowledged);
      if (this.finSent || this.finAcknowledged) return;
      const left = this.buffer.length - inFlight;
      const usable = Math.min(this.sendWindow, this.congestion.window) - inFlight;
      const size = Math.min(left, this.mss, usable);
      if (left === 0) {
        if (this.hostEnded) this.sendFin();
        return;
      }
      // Nothing small while more is under way (RFC 9293, section 3.8.6.2.1).
      if (size <= 0 || (size < this.mss && size < left && inFlight > 0)) {
        if (this.cancelTimer === null) this.restartTimer();
        return;
      }
      const last = size === left;
      const { next } = this;
      this.reply(next, last ? ACK | PSH : ACK, this.buffer.peek(inFlight, size));
      this.sent(next, size);
    }
  }

  private sendFin(): void {
    this.finSent = true;
    const { next } = this;
    this.reply(next, ACK | FIN);
    this.sent(next, 1);
  }

  private measured(sampleMs: number): void {
    if (this.smoothedMs === null) {
      this.smoothedMs = sampleMs;
      this.variationMs = sampleMs / 2;
    } else {
      this.variationMs = 0.75 * this.variationMs + 0.25 * Math.abs(this.smoothedMs - sampleMs);
      this.smoothedMs = 0.875 * this.smoothedMs + 0.125 * sampleMs;
    }
    this.timeoutMs = this.calculatedTimeout();
  }

  private calculatedTimeout(): number {
    if (this.smoothedMs === null) return FIRST_TIMEOUT_MS;
    return Math.min(MOST_TIMEOUT_MS, Math.max(LEAST_TIMEOUT_MS, this.smoothedMs + 4 * this.variationMs));
  }

  /** The timer runs while something is not acknowledged, or waits for a closed window. */
  private restartTimer(): void {
    this.cancelTimer?.();
    this.cancelTimer = null;
    if (this.state === 'closed' || this.state === 'time-wait') return;
    const waits = this.buffer.length > 0 && this.sendWindow === 0;
    if (this.next === this.unacknowledged && !waits) return;
    this.cancelTimer = this.host.after(this.timeoutMs, () => this.timedOut());
  }

  private timedOut(): void {
    this.cancelTimer = null;
    const probing = this.state === 'established' && this.sendWindow === 0 && this.buffer.length > 0;
    if (!probing && ++this.retries > MOST_RETRIES) return this.abort();
    this.timeoutMs = Math.min(MOST_TIMEOUT_MS, this.timeoutMs * 2);
    this.timed = null;
    if (this.state === 'syn-sent' || this.state === 'syn-received') return this.sendSyn();
    if (probing) this.probe();
    else {
      this.congestion.timedOut(distance(this.furthest, this.unacknowledged));
      this.recoverUntil = null;
      this.duplicates = 0;
      this.next = this.unacknowledged;
      this.finSent = false;
      this.output();
    }
    if (this.cancelTimer === null) this.restartTimer();
  }

  /** One byte into a closed window: the answer says whether it is still closed. */
  private probe(): void {
    this.reply(this.unacknowledged, ACK, this.buffer.peek(0, 1));
    this.sent(this.unacknowledged, 1);
  }

  private finishIfDone(): void {
    if (this.state !== 'established' || !this.finAcknowledged || !this.guestEnded) return;
    this.state = 'time-wait';
    this.cancelTimer?.();
    this.cancelTimer = this.host.after(TIME_WAIT_MS, () => this.close(false));
  }

  private close(reset: boolean): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    this.cancelTimer?.();
    this.cancelTimer = null;
    this.buffer.clear();
    this.early.clear();
    this.owner.closed(reset);
  }
}
