/** How many references there are to each cluster of a file; zero where nothing was said. */
export class ReferenceCounts {
  private counts = new Uint32Array(1024);
  /** One more than the last cluster that something refers to, or did. */
  private used = 0;

  get length(): number {
    return this.used;
  }

  get(cluster: number): number {
    return cluster < this.used ? this.counts[cluster]! : 0;
  }

  set(cluster: number, count: number): void {
    if (cluster >= this.counts.length) {
      const larger = new Uint32Array(Math.max(cluster + 1, this.counts.length * 2));
      larger.set(this.counts);
      this.counts = larger;
    }
    this.counts[cluster] = count;
    this.used = Math.max(this.used, cluster + 1);
  }

  /** Adds references to the clusters from `first` to `last`. */
  add(first: number, last = first, references = 1): void {
    for (let cluster = first; cluster <= last; cluster++) this.set(cluster, this.get(cluster) + references);
  }
}
