import type { RpcArguments } from '../database/rpc-call.ts';
import type { JobDefinition, Lane } from '../jobs/define-job.ts';
import type { BegunJob, ClaimedJob, Completion, JobRow, JobStatus, Lease, NewJob } from './job-queue.ts';

/** Translation between the queue's TypeScript names and the columns and JSON keys of its SQL functions. */

export interface BegunRow {
  id: string;
  lease_token: string | null;
  run: boolean;
  status: JobStatus;
  result: unknown;
  lane: Lane;
}

export interface ClaimedRow {
  id: string;
  type: string;
  payload: unknown;
  retry_count: number;
  max_retries: number;
  timeout_seconds: number;
  lease_token: string;
  /** Absent when the job never ran before. */
  steps?: Record<string, unknown> | null;
}

/** Claimed jobs in columns: the element at one place of each is one job's. */
export interface ClaimedBatch {
  lease_token: string;
  ids: string[];
  types: string[];
  payloads: unknown[];
  retry_counts: number[];
  max_retries: number[];
  timeout_seconds: number[];
  /** By job id, of the jobs that saved any. */
  steps: Record<string, Record<string, unknown>> | null;
}

export interface JobRowRow {
  id: string;
  type: string;
  status: JobStatus;
  lane: Lane;
  result: unknown;
  error: string | null;
  retry_count: number;
  max_retries: number;
  duration_ms: number | null;
  run_at: string;
  progress: number | null;
  progress_message: string | null;
}

export function fromNewJob(job: NewJob): Record<string, unknown> {
  return {
    type: job.type,
    payload: job.payload,
    lane: job.lane,
    priority: job.priority,
    run_at: job.runAt?.toISOString(),
    expires_at: job.expiresAt?.toISOString(),
    max_retries: job.maxRetries,
    timeout_seconds: job.timeoutSeconds,
    idempotency_key: job.idempotencyKey,
    concurrency_key: job.concurrencyKey,
    concurrency_limit: job.concurrencyLimit,
    inngest_event_id: job.inngestEventId,
    inngest_run_id: job.inngestRunId,
    repository_id: job.repositoryId,
    depends_on: job.dependsOn,
    on_parent_failure: job.onParentFailure,
    callback_url: job.callbackUrl,
  };
}

/** The arguments of `enqueue_background_job`, or null when the job says more than they hold. */
export function fromPlainJob(job: NewJob): RpcArguments<'enqueue_background_job'> | null {
  const { type, payload, lane, idempotencyKey, inngestEventId, inngestRunId, ...more } = job;
  if (Object.values(more).some((value) => value !== undefined)) return null;
  return {
    ...{ type, payload, lane },
    idempotency_key: idempotencyKey,
    inngest_event_id: inngestEventId,
    inngest_run_id: inngestRunId,
    // Both drivers make each call a transaction of its own.
    hand_over: true,
  };
}

export function fromLease(lease: Lease): { job_id: string; lease_token: string } {
  return { job_id: lease.jobId, lease_token: lease.leaseToken };
}

export function fromCompletion(completion: Completion): Record<string, unknown> {
  return {
    ...fromLease(completion),
    result: completion.result,
    enqueue: completion.enqueue?.map(fromNewJob),
  };
}

export function fromDefinition(definition: JobDefinition): Record<string, unknown> {
  return {
    type: definition.type,
    title: definition.title,
    lane: definition.lane,
    timeout_seconds: definition.timeoutSeconds,
    max_retries: definition.maxRetries,
    priority: definition.priority,
    concurrency_limit: definition.concurrency?.limit ?? null,
    throttle_limit: definition.throttle?.limit ?? null,
    throttle_seconds: definition.throttle?.periodSeconds ?? null,
    quotas: definition.quota,
    has_on_failure: definition.onFailure !== null,
    awaits_completion: definition.awaitCompletion,
  };
}

export function toBegunJob(row: BegunRow): BegunJob {
  return {
    id: row.id,
    leaseToken: row.lease_token,
    run: row.run,
    status: row.status,
    result: row.result,
    lane: row.lane,
  };
}

export function toClaimedJob(row: ClaimedRow): ClaimedJob {
  return {
    id: row.id,
    type: row.type,
    payload: row.payload,
    retryCount: row.retry_count,
    maxRetries: row.max_retries,
    timeoutSeconds: row.timeout_seconds,
    leaseToken: row.lease_token,
    steps: row.steps ?? {},
  };
}

export function toClaimedJobs(batch: ClaimedBatch): ClaimedJob[] {
  const { types, payloads, retry_counts: retryCounts, max_retries: maxRetries } = batch;
  return batch.ids.map((id, at) => ({
    id,
    type: types[at]!,
    payload: payloads[at],
    retryCount: retryCounts[at]!,
    maxRetries: maxRetries[at]!,
    timeoutSeconds: batch.timeout_seconds[at]!,
    leaseToken: batch.lease_token,
    steps: batch.steps?.[id] ?? {},
  }));
}

/** Completions of one lease, without follow-ups. */
export function fromCompletions(leaseToken: string, completions: readonly Completion[]) {
  const silent = completions.every(({ result }) => result === null || result === undefined);
  return {
    lease_token: leaseToken,
    job_ids: completions.map(({ jobId }) => jobId),
    results: silent ? undefined : completions.map(({ result }) => result ?? null),
  };
}

export function toJobRow(row: JobRowRow): JobRow {
  return {
    id: row.id,
    type: row.type,
    status: row.status,
    lane: row.lane,
    result: row.result,
    error: row.error,
    retryCount: row.retry_count,
    maxRetries: row.max_retries,
    durationMs: row.duration_ms,
    runAt: new Date(row.run_at),
    progress: row.progress,
    progressMessage: row.progress_message,
  };
}
