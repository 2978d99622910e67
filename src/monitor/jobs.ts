/** Where a job stands (JobStatus of QEMU). `null` is told once, when it is dismissed. */
export type JobStatus = 'created' | 'running' | 'waiting' | 'pending' | 'aborting' | 'concluded' | 'null';

/** What a client hears of a job. */
export interface JobInfo {
  readonly id: string;
  readonly type: string;
  readonly status: JobStatus;
  readonly 'current-progress': number;
  readonly 'total-progress': number;
  readonly error?: string;
}

/** Why a job was not made, or cannot do what it is told; in QEMU's words. */
export class JobError extends Error {}

/** Jobs that nobody has dismissed yet. */
const MAX_JOBS = 256;

/** Long work that clients start and hear of by events. Every job stays until it is dismissed. */
export class Jobs {
  private readonly jobs = new Map<string, JobInfo>();
  /** One works at a time. */
  private queue: Promise<void> = Promise.resolve();
  private readonly observers = new Set<(job: JobInfo) => void>();

  /** Tells of changes from now on; the function returned ends that. */
  onChange(observer: (job: JobInfo) => void): () => void {
    this.observers.add(observer);
    return () => this.observers.delete(observer);
  }

  get list(): readonly JobInfo[] {
    return [...this.jobs.values()].toReversed();
  }

  /** Starts one; what `work` throws becomes its error. Returns once it has begun. Throws JobError. */
  start(id: string, type: string, work: () => Promise<void>): void {
    if (!/^[A-Za-z][A-Za-z0-9\-._]*$/.test(id)) throw new JobError(`Invalid job ID '${id}'`);
    if (this.jobs.has(id)) throw new JobError(`Job ID '${id}' already in use`);
    if (this.jobs.size >= MAX_JOBS) throw new JobError(`${MAX_JOBS} jobs wait to be dismissed`);
    this.change({ id, type, status: 'created', 'current-progress': 0, 'total-progress': 0 });
    this.become(id, 'running');
    this.queue = this.queue.then(() => this.carryOut(id, work));
  }

  /** Forgets one that is over. Throws JobError. */
  dismiss(id: string): void {
    this.refuse(id, 'dismiss', (status) => status === 'concluded');
    this.become(id, 'null');
    this.jobs.delete(id);
  }

  /** What jobs of ours cannot do. Throws JobError. */
  refuse(id: string, verb: string, unless: (status: JobStatus) => boolean = () => false): void {
    const job = this.jobs.get(id);
    if (job === undefined) throw new JobError('Job not found');
    if (!unless(job.status)) throw new JobError(`Job '${id}' in state '${job.status}' cannot accept command verb '${verb}'`);
  }

  private async carryOut(id: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.progress(id, {});
      for (const status of ['waiting', 'pending'] as const) this.become(id, status);
    } catch (e) {
      this.progress(id, { error: (e as Error).message });
      this.become(id, 'aborting');
    }
    this.become(id, 'concluded');
  }

  private progress(id: string, error: Pick<JobInfo, 'error'>): void {
    this.jobs.set(id, { ...this.jobs.get(id)!, ...error, 'current-progress': 1, 'total-progress': 1 });
  }

  private become(id: string, status: JobStatus): void {
    this.change({ ...this.jobs.get(id)!, status });
  }

  private change(job: JobInfo): void {
    this.jobs.set(job.id, job);
    for (const observer of this.observers) observer(job);
  }
}
