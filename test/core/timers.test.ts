// Oracle: self-consistency (the order that ARCHITECTURE.md promises).
import { describe, expect, it } from 'vitest';
import { TimerList } from '../../src/core/timers.js';

function fire(list: TimerList<number>, now: number): void {
  for (let t = list.takeDue(now); t !== null; t = list.takeDue(now)) t.callback();
}

describe('TimerList', () => {
  it('fires equal deadlines in arming order', () => {
    const list = new TimerList<number>();
    const fired: string[] = [];
    const [a, b, c] = ['a', 'b', 'c'].map((name) => list.create(name, () => fired.push(name)));
    b!.arm(10);
    c!.arm(10);
    a!.arm(10);
    b!.arm(10);
    fire(list, 10);
    expect(fired).toEqual(['c', 'a', 'b']);
  });

  it('keeps that order through save and restore in any sequence', () => {
    const list = new TimerList<number>();
    const fired: string[] = [];
    const timers = ['a', 'b', 'c'].map((name) => list.create(name, () => fired.push(name)));
    for (const t of [timers[2]!, timers[0]!, timers[1]!]) t.arm(5);
    const saved = timers.map((t) => [t.deadline, t.order] as const);
    for (const t of timers) t.cancel();
    timers.forEach((t, i) => {
      t.restore(...saved[i]!);
    });
    fire(list, 5);
    expect(fired).toEqual(['c', 'a', 'b']);
  });

  it('fires nothing early and everything due', () => {
    const list = new TimerList<number>();
    let fired = 0;
    list.create('x', () => fired++).arm(7);
    fire(list, 6);
    expect(fired).toBe(0);
    expect(list.deadline).toBe(7);
    fire(list, 8);
    expect(fired).toBe(1);
    expect(list.deadline).toBeNull();
  });

  it('reports an arming that becomes the earliest', () => {
    const list = new TimerList<number>();
    let calls = 0;
    list.onEarlier = () => calls++;
    list.create('a', () => {}).arm(10);
    list.create('b', () => {}).arm(20);
    list.create('c', () => {}).arm(5);
    expect(calls).toBe(2);
  });
});
