import type { Rpc } from '../database/rpc.ts';
import type { JobDefinition, Lane } from '../jobs/define-job.ts';
import type { ParentJob } from '../jobs/job-context.ts';
import { createEnqueues } from './enqueues.ts';
import type { JobErrorRecord } from './error-record.ts';
import * as rows from './queue-rows.ts';

/** A job to be enqueued. What is left out comes from the type's row in `job_types`. */
export interface NewJob {
  type: string;
  payload?: unknown;
  lane?: 'edge' | 'worker';
  /** Minutes by which the job overtakes others. */
  priority?: number;
  runAt?: Date;
  expiresAt?: Date;
  /** Retries after the first attempt. */
  maxRetries?: number;
  timeoutSeconds?: number;
  /** A second job with this key is not created: the first one is answered. */
  idempotencyKey?: string;
  concurrencyKey?: string;
  concurrencyLimit?: number;
  inngestEventId?: string;
  inngestRunId?: string;
  repositoryId?: string;
  /** The job waits until these have ended: ids of jobs, or positions of earlier jobs of the same call (from 0). */
  dependsOn?: readonly (string | number)[];
  /** What becomes of the job when one of them fails, is cancelled or deleted. Default: `cancel`. */
  onParentFailure?: 'cancel' | 'run' | 'fail';
  /** Called when the job has ended. Under a registered callback endpoint. */
  callbackUrl?: string;
}

export type JobStatus = 'queued' | 'processing' | 'completed' | 'failed' | 'cancelled';

export interface EnqueuedJob {
  id: string;
  status: JobStatus;
  /** False: the idempotency key was known, this is the row that had it. */
  created: boolean;
}

export interface BegunJob {
  id: string;
  leaseToken: string | null;
  /** False: somebody else has or had the job; `status`, `result` and `lane` say where it is. */
  run: boolean;
  status: JobStatus;
  result: unknown;
  lane: Lane;
}

/** The right to write a job's outcome. It ends with the lease, with the outcome, or with an operator's edit. */
export interface Lease {
  jobId: string;
  leaseToken: string;
}

/** A job held by this process until its lease ends. */
export interface ClaimedJob {
  id: string;
  type: string;
  payload: unknown;
  retryCount: number;
  maxRetries: number;
  timeoutSeconds: number;
  leaseToken: string;
  /** Outputs of the steps saved by earlier slices, by step name. */
  steps: Record<string, unknown>;
}

export interface ClaimRequest {
  lane: Lane;
  /** Name of this process, for people. */
  worker: string;
  maxJobs: number;
  leaseSeconds: number;
  /** Skips types that usually take longer than this. Default: no limit. */
  fitSeconds?: number;
  /** Only these types. Default: all. */
  types?: readonly string[];
}

/** A worker's word that an enqueue may hand it one job. */
export interface WorkerOffer {
  /** Also the name of the channel on which it is told. */
  offer: string;
  lane: Lane;
  worker: string;
  leaseSeconds: number;
}

export interface Completion extends Lease {
  result: unknown;
  /** Enqueued in the same transaction. */
  enqueue?: readonly NewJob[];
}

/** `cancel`: an operator asked for it, the lease still holds. `lost`: nothing can be written any more. */
export type LeaseState = 'continue' | 'cancel' | 'lost';

/** A job as its row stands now. */
export interface JobRow {
  id: string;
  type: string;
  status: JobStatus;
  lane: Lane;
  result: unknown;
  error: string | null;
  retryCount: number;
  maxRetries: number;
  /** Milliseconds of the last slice; null before the first has ended. */
  durationMs: number | null;
  runAt: Date;
  progress: number | null;
  progressMessage: string | null;
}

export interface SweepResult {
  lane: Lane;
  claimable: number;
  rescued: number;
  expired: number;
}

/**
 * The queue's SQL functions as methods; nothing else in the project calls them. Every method throws `RpcError` when
 * the database refuses and `DatabaseUnreachableError` when it does not answer. A lost lease never throws: it is
 * answered as null, false, or `lost`.
 */
export interface JobQueue {
  /**
   * One call for any number of jobs; answers in input order. Single jobs that are enqueued side by side share calls: each is
   * answered when it is committed, and refused for itself only.
   */
  enqueue(jobs: readonly NewJob[]): Promise<EnqueuedJob[]>;
  /** Enqueues and claims a job of lane `inline` in one round trip. */
  begin(job: NewJob, worker: string, leaseSeconds: number): Promise<BegunJob>;
  claim(request: ClaimRequest): Promise<ClaimedJob[]>;
  /** Claims the named job whatever its `run_at`; null when it may not run or does not exist. */
  claimOne(jobId: string, worker: string, leaseSeconds: number): Promise<ClaimedJob | null>;
  /** Makes or renews an offer; answers the job that was handed over under it before. */
  offerWorker(offer: WorkerOffer): Promise<ClaimedJob | null>;
  /** Ends an offer; answers the job that was handed over under it. */
  withdrawOffer(offer: string): Promise<ClaimedJob | null>;
  /** Renews leases; states by job id. */
  heartbeat(leases: readonly Lease[], leaseSeconds: number): Promise<Map<string, LeaseState>>;
  /** Accepted or not, by job id. */
  complete(results: readonly Completion[]): Promise<Map<string, boolean>>;
  fail(
    lease: Lease,
    error: JobErrorRecord,
    retryable: boolean,
    retryAfterSeconds?: number,
  ): Promise<JobStatus | null>;
  snooze(lease: Lease, until: Date, reason: string): Promise<JobStatus | null>;
  /** Free when a step was saved since the claim, otherwise it spends a retry. */
  handOff(lease: Lease): Promise<JobStatus | null>;
  saveStep(lease: Lease, name: string, output: unknown): Promise<boolean>;
  /** `percent` is a whole number from 0 to 100. */
  reportProgress(lease: Lease, percent: number, message: string | null): Promise<boolean>;
  get(jobId: string): Promise<JobRow | null>;
  /** The jobs that the job depends on, oldest first. */
  parents(jobId: string): Promise<ParentJob[]>;
  /** Why the job is (not) running, for people. */
  explain(jobId: string): Promise<string>;
  sweep(): Promise<SweepResult[]>;
  /**
   * How many isolates of `process-job` the caller is to wake now; nobody else is told so within a second.
   * `leaving` names a worker that will claim no more.
   */
  takeWakes(leaving?: string): Promise<number>;
  /** Mirrors the definitions into `job_types`, so that SQL knows their defaults. */
  syncJobTypes(definitions: readonly JobDefinition[]): Promise<void>;
  /** Tells SQL the JSON Schemas of the payloads, for forms. After `syncJobTypes`; takes milliseconds of CPU time. */
  syncPayloadSchemas(definitions: readonly JobDefinition[]): Promise<void>;
  /** Lanes set by operators or by measurement; types that stay on their own lane are absent. */
  laneOverrides(): Promise<Map<string, Lane>>;
}

/** The queue over either database driver. */
export function createJobQueue(rpc: Rpc): JobQueue {
  return { ...producing(rpc), ...claiming(rpc), ...ending(rpc), ...operating(rpc) };
}

function producing(rpc: Rpc): Pick<JobQueue, 'enqueue' | 'begin'> {
  async function send(jobs: readonly NewJob[]): Promise<EnqueuedJob[]> {
    const [first, ...others] = jobs;
    const plain = first && others.length === 0 ? rows.fromPlainJob(first) : null;
    const id = plain && (await rpc<string | null>('enqueue_background_job', plain));
    if (id) return [{ id, status: 'queued', created: true }];
    return await rpc<EnqueuedJob[]>('enqueue_background_jobs', { jobs: jobs.map(rows.fromNewJob) });
  }
  const enqueueOne = createEnqueues(send);
  return {
    async enqueue(jobs) {
      const [first, ...others] = jobs;
      if (!first) return [];
      // Positions in `dependsOn` are those of its own call.
      return others.length === 0 && !first.dependsOn ? await enqueueOne(first) : await send(jobs);
    },
    async begin(job, worker, leaseSeconds) {
      const begun = await rpc<rows.BegunRow[]>('begin_background_job', {
        job: rows.fromNewJob(job),
        worker,
        lease_seconds: leaseSeconds,
      });
      const row = begun[0];
      if (!row) throw new Error(`begin_background_job answered no row for a job of type ${job.type}`);
      return rows.toBegunJob(row);
    },
  };
}

function claiming(
  rpc: Rpc,
): Pick<JobQueue, 'claim' | 'claimOne' | 'offerWorker' | 'withdrawOffer' | 'heartbeat'> {
  return {
    async claim(request) {
      const batch = await rpc<rows.ClaimedBatch | null>('claim_job_batch', {
        lane: request.lane,
        worker: request.worker,
        max_jobs: request.maxJobs,
        lease_seconds: request.leaseSeconds,
        fit_seconds: request.fitSeconds,
        types: request.types,
      });
      return batch ? rows.toClaimedJobs(batch) : [];
    },
    async claimOne(jobId, worker, leaseSeconds) {
      const claimed = await rpc<rows.ClaimedRow[]>('claim_background_job', {
        job_id: jobId,
        worker,
        lease_seconds: leaseSeconds,
      });
      return claimed[0] ? rows.toClaimedJob(claimed[0]) : null;
    },
    async offerWorker({ offer, lane, worker, leaseSeconds }) {
      const job = await rpc<rows.ClaimedRow | null>('offer_worker', {
        ...{ offer, lane, worker },
        lease_seconds: leaseSeconds,
      });
      return job ? rows.toClaimedJob(job) : null;
    },
    async withdrawOffer(offer) {
      const job = await rpc<rows.ClaimedRow | null>('withdraw_worker_offer', { offer });
      return job ? rows.toClaimedJob(job) : null;
    },
    async heartbeat(leases, leaseSeconds) {
      if (leases.length === 0) return new Map();
      const states = await rpc<{ job_id: string; state: LeaseState }[]>('heartbeat_background_jobs', {
        leases: leases.map(rows.fromLease),
        lease_seconds: leaseSeconds,
      });
      return new Map(states.map((row) => [row.job_id, row.state]));
    },
  };
}

function ending(
  rpc: Rpc,
): Pick<JobQueue, 'complete' | 'fail' | 'snooze' | 'handOff' | 'saveStep' | 'reportProgress'> {
  return {
    async complete(results) {
      const [first, ...others] = results;
      if (!first) return new Map();
      const ofOneLease = others.every(({ leaseToken }) => leaseToken === first.leaseToken);
      if (ofOneLease && results.every(({ enqueue }) => !enqueue?.length)) {
        const batch = rows.fromCompletions(first.leaseToken, results);
        const refused = new Set(await rpc<string[]>('complete_job_batch', batch));
        const accepted = new Map<string, boolean>();
        for (const { jobId } of results) accepted.set(jobId, !refused.has(jobId));
        return accepted;
      }
      const answers = await rpc<{ job_id: string; accepted: boolean }[]>('complete_background_jobs', {
        results: results.map(rows.fromCompletion),
      });
      return new Map(answers.map((row) => [row.job_id, row.accepted]));
    },
    fail: (lease, error, retryable, retryAfterSeconds) =>
      rpc('fail_background_job', {
        ...rows.fromLease(lease),
        error,
        retryable,
        retry_after_seconds: retryAfterSeconds,
      }),
    snooze: (lease, until, reason) =>
      rpc('snooze_background_job', { ...rows.fromLease(lease), until: until.toISOString(), reason }),
    handOff: (lease) => rpc('hand_off_background_job', rows.fromLease(lease)),
    saveStep: (lease, name, output) =>
      rpc('save_background_job_step', { ...rows.fromLease(lease), name, output }),
    reportProgress: (lease, percent, message) =>
      rpc('report_background_job_progress', { ...rows.fromLease(lease), percent, message }),
  };
}

function operating(
  rpc: Rpc,
): Pick<
  JobQueue,
  | 'get'
  | 'parents'
  | 'explain'
  | 'sweep'
  | 'takeWakes'
  | 'syncJobTypes'
  | 'syncPayloadSchemas'
  | 'laneOverrides'
> {
  return {
    async get(jobId) {
      const found = await rpc<rows.JobRowRow[]>('get_background_job', { job_id: jobId });
      return found[0] ? rows.toJobRow(found[0]) : null;
    },
    parents: (jobId) => rpc('get_parent_jobs', { job_id: jobId }),
    explain: (jobId) => rpc('explain_background_job', { job_id: jobId }),
    sweep: () => rpc('sweep_background_jobs'),
    takeWakes: (leaving) => rpc('take_wakes', { leaving }),
    async syncJobTypes(definitions) {
      await rpc('sync_job_types', { definitions: definitions.map(rows.fromDefinition) });
    },
    async syncPayloadSchemas(definitions) {
      const { payloadSchema } = await import('../jobs/payload-schema.ts');
      const schemas = definitions.map((each) => ({ type: each.type, payload_schema: payloadSchema(each) }));
      await rpc('sync_payload_schemas', { schemas });
    },
    async laneOverrides() {
      const overrides = await rpc<{ type: string; lane: Lane }[]>('list_job_lanes');
      return new Map(overrides.map((row) => [row.type, row.lane]));
    },
  };
}
