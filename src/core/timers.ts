/**
 * One list of timers per clock. T is number (nanoseconds below 2^53: virtual, virtual_rt) or bigint (host clock).
 * Equal deadlines fire in arming order.
 */
export class TimerList<T extends number | bigint> {
  private head: Timer<T>[] = [];
  /** Called when an arming makes the earliest deadline earlier. */
  onEarlier: (() => void) | null = null;

  /** Creates a timer; it is not armed. `label` names it in messages. */
  create(label: string, callback: () => void): Timer<T> {
    return new Timer(this, label, callback);
  }

  /** Earliest deadline, or null when nothing is armed. */
  get deadline(): T | null {
    return this.head.length === 0 ? null : this.head[0]!.deadline;
  }

  get armed(): readonly Timer<T>[] {
    return this.head;
  }

  /** Removes and returns the earliest timer due at `now`, or null. The caller runs its callback. */
  takeDue(now: T): Timer<T> | null {
    const first = this.head[0];
    if (first === undefined || first.deadline! > now) return null;
    this.head.shift();
    first.deadline = null;
    return first;
  }

  /**
   * @internal used by Timer. Without `order` the timer comes after those of the same deadline. Orders count from 0 within one deadline, so that
   * they do not depend on what happened before: a restored list goes on exactly like the one that was saved.
   */
  insert(timer: Timer<T>, deadline: T, order: number | null = null): void {
    this.remove(timer);
    let at = this.head.length;
    while (at > 0 && this.after(this.head[at - 1]!, deadline, order ?? Number.POSITIVE_INFINITY)) at--;
    const before = this.head[at - 1];
    timer.deadline = deadline;
    timer.order = order ?? (before?.deadline === deadline ? before.order + 1 : 0);
    this.head.splice(at, 0, timer);
    if (at === 0) this.onEarlier?.();
  }

  private after(other: Timer<T>, deadline: T, order: number): boolean {
    return other.deadline! > deadline || (other.deadline === deadline && other.order > order);
  }

  /** @internal used by Timer */
  remove(timer: Timer<T>): void {
    if (timer.deadline === null) return;
    this.head.splice(this.head.indexOf(timer), 1);
    timer.deadline = null;
  }
}

/** A one-shot timer on a TimerList. */
export class Timer<T extends number | bigint> {
  deadline: T | null = null;
  /** Arming order among equal deadlines. */
  order = 0;
  private readonly list: TimerList<T>;
  readonly label: string;
  readonly callback: () => void;

  constructor(list: TimerList<T>, label: string, callback: () => void) {
    this.list = list;
    this.label = label;
    this.callback = callback;
  }

  /** (Re)arms at an absolute time of the list's clock, in ns. */
  arm(deadline: T): void {
    this.list.insert(this, deadline);
  }

  cancel(): void {
    this.list.remove(this);
  }

  get pending(): boolean {
    return this.deadline !== null;
  }

  /** Puts back a saved deadline with its arming order. */
  restore(deadline: T | null, order: number): void {
    this.list.remove(this);
    if (deadline !== null) this.list.insert(this, deadline, order);
  }
}
