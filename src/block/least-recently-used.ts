/** Keeps the `capacity` values that were asked for last. */
export class LeastRecentlyUsed<T> {
  private readonly capacity: number;
  private readonly values = new Map<number, T>();

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get(key: number): T | undefined {
    const value = this.values.get(key);
    if (value === undefined) return undefined;
    this.values.delete(key);
    this.values.set(key, value);
    return value;
  }

  delete(key: number): void {
    this.values.delete(key);
  }

  set(key: number, value: T): void {
    this.values.delete(key);
    this.values.set(key, value);
    for (const oldest of this.values.keys()) {
      if (this.values.size <= this.capacity) return;
      this.values.delete(oldest);
    }
  }
}
