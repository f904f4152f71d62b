import type { JobStatus } from '../../src/queue/job-queue.ts';

/** What the model knows of a job. Times are reduced to `due`: whether run_at has passed. */
export interface ModelJob {
  id: string;
  key: string | null;
  concurrencyKey: string | null;
  status: JobStatus;
  due: boolean;
  retryCount: number;
  maxRetries: number;
  /** Token of the attempt that runs. */
  token: string | null;
  stepSaved: boolean;
  cancelRequested: boolean;
  steps: string[];
  /** Attempts that did not complete the job. */
  attempts: number;
}

export interface Lease {
  jobId: string;
  token: string;
}

/** One concurrency key in the whole model lets this many jobs run. */
export const concurrencyLimit = 2;

/** A small, plain picture of the queue: what each operation must do to each job. */
export class QueueModel {
  readonly jobs = new Map<string, ModelJob>();
  /** Every lease that was ever given out, so that stale ones are tried too. */
  readonly leases: Lease[] = [];
  paused = false;

  enqueued(id: string, key: string | null, concurrencyKey: string | null, maxRetries: number): void {
    this.jobs.set(id, {
      id,
      key,
      concurrencyKey,
      status: 'queued',
      due: true,
      retryCount: 0,
      maxRetries,
      token: null,
      stepSaved: false,
      cancelRequested: false,
      steps: [],
      attempts: 0,
    });
  }

  withKey(key: string): ModelJob | undefined {
    return [...this.jobs.values()].find((job) => job.key === key);
  }

  private freeSlots(concurrencyKey: string | null): number {
    if (concurrencyKey === null) return Infinity;
    const running = [...this.jobs.values()].filter(
      (job) => job.status === 'processing' && job.concurrencyKey === concurrencyKey,
    );
    return concurrencyLimit - running.length;
  }

  mayStart(job: ModelJob): boolean {
    return job.status === 'queued' && !this.paused && this.freeSlots(job.concurrencyKey) > 0;
  }

  /** How many jobs a claim of everything must return. */
  claimable(): number {
    const ready = [...this.jobs.values()].filter((job) => job.due && this.mayStart(job));
    const keyed = ready.filter((job) => job.concurrencyKey !== null);
    const slots = keyed[0] ? this.freeSlots(keyed[0].concurrencyKey) : 0;
    return ready.length - keyed.length + Math.min(keyed.length, slots);
  }

  claimed(id: string, token: string): void {
    Object.assign(this.job(id), { status: 'processing', due: true, token, stepSaved: false });
    this.leases.push({ jobId: id, token });
  }

  /** The job that the lease still holds. */
  held(lease: Lease): ModelJob | undefined {
    const job = this.jobs.get(lease.jobId);
    return job?.status === 'processing' && job.token === lease.token ? job : undefined;
  }

  completed(job: ModelJob): void {
    Object.assign(job, { status: 'completed', token: null });
  }

  /** An attempt that failed, timed out or was rescued. */
  failed(job: ModelJob, retryable: boolean): JobStatus {
    if (job.cancelRequested) return this.ended(job, 'cancelled');
    if (!retryable || job.retryCount >= job.maxRetries) return this.ended(job, 'failed');
    job.retryCount += 1;
    job.due = false;
    return this.ended(job, 'queued');
  }

  snoozed(job: ModelJob): JobStatus {
    if (job.cancelRequested) return this.ended(job, 'cancelled');
    job.due = false;
    return this.ended(job, 'queued');
  }

  handedOff(job: ModelJob): JobStatus {
    if (job.cancelRequested) return this.ended(job, 'cancelled');
    return job.stepSaved ? this.ended(job, 'queued') : this.failed(job, true);
  }

  private ended(job: ModelJob, status: JobStatus): JobStatus {
    Object.assign(job, { status, token: null });
    job.attempts += 1;
    return status;
  }

  /** A person sets the row's status; an attempt that ran is recorded as edited. */
  edited(job: ModelJob, status: JobStatus, token: string | null): void {
    if (job.status === 'processing' && status !== 'processing') job.attempts += 1;
    if (status === 'queued') job.cancelRequested = false;
    if (status === 'processing' && job.status !== 'processing') {
      job.cancelRequested = false;
      job.stepSaved = false;
      job.token = token;
    }
    if (status !== 'processing') job.token = null;
    job.status = status;
  }

  job(id: string): ModelJob {
    const job = this.jobs.get(id);
    if (!job) throw new Error(`the queue knows job ${id}, the model does not`);
    return job;
  }
}
