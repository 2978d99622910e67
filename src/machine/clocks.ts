import type { Session } from '../../replay/session.js';
import type { HostClock } from '../core/clock.js';
import { Timer, TimerList } from '../core/timers.js';
import type { VirtualTime } from '../core/virtual-time.js';

/** The host's wall clock through the session's door; its timers run in the main loop. */
export class SessionHostClock implements HostClock {
  readonly timers = new TimerList<bigint>();
  private readonly session: Session;

  constructor(session: Session) {
    this.session = session;
  }

  nowNs(): bigint {
    return this.session.hostClockNs();
  }

  timer(label: string, callback: () => void): Timer<bigint> {
    return this.timers.create(label, callback);
  }
}

/** Virtual time in the shape of a host clock, for `--rtc clock=vm`: nothing of it is logged. */
export class VirtualHostClock implements HostClock {
  private readonly time: VirtualTime;

  constructor(time: VirtualTime) {
    this.time = time;
  }

  nowNs(): bigint {
    return BigInt(this.time.nowNs());
  }

  timer(label: string, callback: () => void): Timer<bigint> {
    return new VirtualBigintTimer(this.time, label, callback);
  }
}

/** Only gives VirtualBigintTimer a list to belong to; its timers wait on the virtual clock. */
const nowhere = new TimerList<bigint>();

/** A timer of the virtual clock that takes its deadlines as bigints. */
class VirtualBigintTimer extends Timer<bigint> {
  private readonly inner: Timer<number>;

  constructor(time: VirtualTime, label: string, callback: () => void) {
    super(nowhere, label, callback);
    this.inner = time.timer(label, () => {
      this.deadline = null;
      callback();
    });
  }

  override arm(deadline: bigint): void {
    this.inner.arm(Number(deadline));
    this.deadline = deadline;
    this.order = this.inner.order;
  }

  override cancel(): void {
    this.inner.cancel();
    this.deadline = null;
  }

  override restore(deadline: bigint | null, order: number): void {
    this.inner.restore(deadline === null ? null : Number(deadline), order);
    this.deadline = deadline;
    this.order = order;
  }
}
