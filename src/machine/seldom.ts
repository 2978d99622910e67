/** How often what was recorded, and what the guest said, is shown to others. */
const INTERVAL_MS = 100;

/** The action, done at most ten times a second. */
export function seldom(action: () => void): () => void {
  let before = performance.now();
  return () => {
    const now = performance.now();
    if (now - before < INTERVAL_MS) return;
    before = now;
    action();
  };
}
