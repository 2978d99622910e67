const TICK_MS = 100;

/**
 * Calls `end` once nobody has said `alive` for so long. Only time in which this process runs is counted, so what was stopped together with it, or waits for a processor that it waits
 * for too, is not taken for dead.
 */
export class Watchdog {
  private readonly timer: NodeJS.Timeout;
  private silentMs = 0;

  constructor(patienceMs: number, end: () => void) {
    this.timer = setInterval(() => {
      this.silentMs += TICK_MS;
      if (this.silentMs < patienceMs) return;
      this.cancel();
      end();
    }, TICK_MS);
  }

  /** Something has been heard. */
  alive(): void {
    this.silentMs = 0;
  }

  cancel(): void {
    clearInterval(this.timer);
  }
}
