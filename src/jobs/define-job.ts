import type { z } from 'zod';
import { isCronExpression } from './cron-expression.ts';
import type { FailedJob, FailureContext, JobContext } from './job-context.ts';

/** Where a job runs: `inline` in the Inngest request, `edge` in `process-job`, `worker` in the always-on process. */
export type Lane = 'inline' | 'edge' | 'worker';

/** A job kind: what the author writes. Only `type`, `payload` and `run` are required. */
export interface JobDefinition<Payload = unknown, Result = unknown> {
  /** Inngest event name and `background_jobs.type`. Never changes once released. */
  type: string;
  /** Other event names that mean the same job; rows always carry `type`. Default: none. */
  aliases: readonly string[];
  /** Inngest function id. Default: `type` with everything but letters and digits turned into dashes. */
  functionId: string;
  /** For people. Default: `type`. */
  title: string;
  /** Default lane; operators override it with `set_job_lane`. Default: `edge`. */
  lane: Lane;
  /** Turns an event's data into the payload that `run` receives; a mismatch fails the job for good. */
  payload: z.ZodType<Payload>;
  /** One attempt may take this long, in seconds. Default: 120. */
  timeoutSeconds: number;
  /** Retries after the first attempt. Default: 3. */
  maxRetries: number;
  /** Minutes by which the job overtakes others; may be negative. Default: 0. */
  priority: number;
  /**
   * At most `limit` jobs with one key run at a time. The key is made of the parsed payload. Default: no limit.
   * `expression` says the same to Inngest, in CEL over `event.data`: on the inline lane nothing else keeps the limit.
   */
  concurrency: { key(payload: Payload): string; limit: number; expression?: string } | null;
  /** At most `limit` runs start within each `periodSeconds`. Default: no limit. */
  throttle: { limit: number; periodSeconds: number } | null;
  /** Shared quotas that a run spends, for example `github:graphql`: while one is exhausted, none starts. Default: none. */
  quota: readonly string[];
  /** Cron expressions (five fields, UTC) at which the job is started with the payload `{}`. Default: none. */
  cron: readonly string[];
  /** Does the work. Its return value (JSON) becomes the row's `result`. */
  run(ctx: JobContext<Payload>): Promise<Result>;
  /**
   * Called each time a job of this type has failed for good, however it did: retries spent, process killed, expired, a
   * parent that failed, set to failed by hand. A job of its own (`system/job.failed`), retried as such; its own failure
   * calls nothing. Default: none.
   */
  onFailure: ((ctx: FailureContext, failure: FailedJob) => Promise<unknown>) | null;
  /**
   * The Inngest run of a queued job waits and ends as the job ends: completed with its result, or failed. Default: it
   * ends as soon as the job is enqueued.
   */
  awaitCompletion: boolean;
}

type Optional =
  | 'aliases'
  | 'functionId'
  | 'title'
  | 'lane'
  | 'timeoutSeconds'
  | 'maxRetries'
  | 'priority'
  | 'concurrency'
  | 'throttle'
  | 'quota'
  | 'cron'
  | 'onFailure'
  | 'awaitCompletion';

/** What `defineJob` takes: a definition whose optional parts may be left out. */
export type JobDefinitionInput<Payload, Result> = Omit<JobDefinition<Payload, Result>, Optional> &
  Partial<Pick<JobDefinition<Payload, Result>, Optional>>;

/**
 * Completes a job definition with the defaults documented on {@link JobDefinition}.
 * @throws {TypeError} a limit is not a positive whole number, the type is empty, or a cron expression is none
 */
export function defineJob<Payload, Result>(
  input: JobDefinitionInput<Payload, Result>,
): JobDefinition<Payload, Result> {
  const definition: JobDefinition<Payload, Result> = {
    aliases: [],
    functionId: input.type.replace(/[^a-zA-Z0-9]+/g, '-'),
    title: input.type,
    lane: 'edge',
    timeoutSeconds: 120,
    maxRetries: 3,
    priority: 0,
    concurrency: null,
    throttle: null,
    quota: [],
    cron: [],
    onFailure: null,
    awaitCompletion: false,
    ...input,
  };
  assertDefinition(definition);
  return definition;
}

function assertDefinition(definition: JobDefinition): void {
  const refuse = (field: string, expected: string, got: unknown): never => {
    throw new TypeError(
      `job ${definition.type}: expected ${field} to be ${expected}, got ${JSON.stringify(got)}`,
    );
  };
  if (definition.type.trim() === '') refuse('type', 'a non-empty event name', definition.type);
  if (!Number.isInteger(definition.timeoutSeconds) || definition.timeoutSeconds < 1)
    refuse('timeoutSeconds', 'a whole number of seconds above 0', definition.timeoutSeconds);
  if (!Number.isInteger(definition.maxRetries) || definition.maxRetries < 0)
    refuse('maxRetries', 'a whole number from 0', definition.maxRetries);
  if (!Number.isInteger(definition.priority)) refuse('priority', 'a whole number', definition.priority);
  const limit = definition.concurrency?.limit;
  if (limit !== undefined && (!Number.isInteger(limit) || limit < 1))
    refuse('concurrency.limit', 'a whole number above 0', limit);
  if (definition.lane === 'inline' && definition.concurrency && !definition.concurrency.expression)
    refuse('concurrency.expression', 'given, since Inngest keeps the limit of an inline job', undefined);
  for (const [field, value] of Object.entries(definition.throttle ?? {}))
    if (!Number.isInteger(value) || value < 1) refuse(`throttle.${field}`, 'a whole number above 0', value);
  for (const expression of definition.cron)
    if (!isCronExpression(expression))
      refuse('cron', 'expressions of five fields that name a time which comes', expression);
}
