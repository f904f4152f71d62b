import type { Rpc } from '../database/rpc.ts';
import type { GitHub } from '../github/github.ts';
import type { OpenAi } from '../openai/openai.ts';
import type { Logger } from '../runtime/logger.ts';
import type { SecretBox } from '../secrets/secret-box.ts';
import type { OpenEmbedder } from './embeddings/text-embedder.ts';

/** A job to be enqueued when the running job completes, in the same transaction. */
export interface FollowUpJob {
  /** A job type of the catalog. */
  type: string;
  payload?: Record<string, unknown>;
  /** Default: the type's own. */
  priority?: number;
  /** Earliest start. Default: at once. */
  runAt?: Date;
  /** Another job with this key is not enqueued again. Default: none. */
  idempotencyKey?: string;
  /** It waits until these have ended: ids of jobs, or positions (from 0) of jobs that this job enqueued before it. */
  dependsOn?: readonly (string | number)[];
  /** What becomes of it when one of them does not complete. Default: `cancel`. */
  onParentFailure?: 'cancel' | 'run' | 'fail';
}

/** A job on which the running one depends; it has ended. */
export interface ParentJob {
  id: string;
  type: string;
  status: 'completed' | 'failed' | 'cancelled';
  /** Null unless it completed. */
  result: unknown;
  error: string | null;
}

/** The way to servers that the project does not know beforehand. */
export interface OutsideHttp {
  fetch: typeof fetch;
  /**
   * Posts to the host of `url` at one of these addresses, and at no other to which its name may resolve by now. Follows no
   * redirect; the answer comes without its body.
   */
  postTo(
    addresses: readonly string[],
    url: string,
    init: { headers: Record<string, string>; body: string; signal: AbortSignal },
  ): Promise<Response>;
  /** All addresses of a host name, as the host's `fetch` would find them. Rejects when there are none. */
  resolve(host: string): Promise<string[]>;
}

/** Where and how to post events to Inngest. */
export interface EventApi {
  /** Holds the event key: not for logs. */
  url: string;
  headers: Record<string, string>;
}

/** What a job's `run` receives. The same on every lane. */
export interface JobContext<Payload> {
  readonly jobId: string;
  readonly type: string;
  /** Retries spent before this attempt: 0 on the first. */
  readonly retryCount: number;
  /** The event's data, parsed by the definition's schema. */
  readonly payload: Payload;
  /**
   * Runs `work` once in the life of the job: when the step was saved by an earlier slice, its stored result (JSON)
   * is returned and `work` is not called. Step names are unique within a job.
   */
  step<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** Aborted by a cancel request, by the attempt's time-out, or by the host's deadline. Pass it to every fetch. */
  readonly signal: AbortSignal;
  /** When this slice must have ended. */
  readonly deadline: Date;
  /** Shows progress on the row. `percent` from 0 to 100. */
  progress(percent: number, message?: string): Promise<void>;
  readonly log: Logger;
  /** GitHub; rate limits become snoozes, refusals become non-retryable errors. */
  readonly github: GitHub;
  /** OpenAI, with the platform's key; rate limits become snoozes, refusals become non-retryable errors. */
  readonly openai: OpenAi;
  /** Opens what users have left with us. What comes out is not for step outputs, results, logs or errors. */
  readonly secrets: SecretBox;
  readonly rpc: Rpc;
  /**
   * Calls `process-job` so many times at once. False when a call failed, or when nobody here knows its address.
   * Jobs that `enqueue` others need not call it.
   */
  wake(isolates: number): Promise<boolean>;
  readonly http: OutsideHttp;
  /** Null where no event key of Inngest is known. */
  readonly inngestEvents: EventApi | null;
  /** The local embedding model; null on every host but the always-on process. */
  readonly openEmbedder: OpenEmbedder | null;
  /** The jobs that this one depends on, oldest first; those that were deleted are missing. */
  parents(): Promise<ParentJob[]>;
  /** Becomes visible together with this job's completion, or not at all. */
  enqueue(job: FollowUpJob): void;
}

/** What a definition's `onFailure` receives: the context of the `system/job.failed` job that calls it. */
export type FailureContext = Omit<JobContext<unknown>, 'payload'>;

/** A job as it was when it failed. */
export interface FailedJob {
  jobId: string;
  type: string;
  /** As it was enqueued: it may be what made the job fail. Null when the row has been deleted since. */
  payload: unknown;
  /** Null when somebody set the row to failed without one. */
  error: string | null;
  /** `retries_spent`, `non_retryable`, `crashed`, `expired`, `dependency_failed` or `operator`. */
  reason: string | null;
  /** Retries spent. */
  retryCount: number;
  failedAt: Date;
}
