import type { Rpc } from '../database/rpc.ts';
import type { GitHub } from '../github/github.ts';
import type { JobDefinition } from '../jobs/define-job.ts';
import type { OpenEmbedder } from '../jobs/embeddings/text-embedder.ts';
import type { EventApi, OutsideHttp } from '../jobs/job-context.ts';
import type { OpenAi } from '../openai/openai.ts';
import type { Logger } from '../runtime/logger.ts';
import { createSecretBox, type SecretBox } from '../secrets/secret-box.ts';
import { type Completions, createCompletions } from './completions.ts';
import { type AttemptClock, createAttemptClock } from './attempt-clock.ts';
import { type Heartbeats, createHeartbeats } from './heartbeats.ts';
import type { JobQueue } from './job-queue.ts';

/** What a process offers to the jobs it runs, and how long it may do so. */
export interface PerformHostOptions {
  queue: JobQueue;
  /** The definition of an event name, be it a type or an alias. */
  definitionOf: (name: string) => JobDefinition | undefined;
  /** Length of a lease, as given to the claims. */
  leaseSeconds: number;
  /** Called at most once per attempt, and only when the job asks for GitHub. */
  github: (log: Logger) => GitHub;
  openai: OpenAi;
  /** Default: one without a key, which opens nothing. */
  secrets?: SecretBox;
  rpc: Rpc;
  /** Calls `process-job` so many times; never rejects. Default: there is none to call. */
  wake?: (isolates: number) => Promise<{ woken: boolean }>;
  http: OutsideHttp;
  /** Default: none is known. */
  inngestEvents?: EventApi | null;
  /** Default: there is no local model. */
  openEmbedder?: OpenEmbedder;
  log: Logger;
  now: () => Date;
  /** From here on no new step starts: the job hands off instead. */
  stopStepsAt: Date;
  /** At this moment every running job is told to stop. */
  deadline: Date;
  /** Aborted when the host must go at once: jobs hand off. */
  shutdown: AbortSignal;
  /** A job that ignores its signal is left behind after this time, in milliseconds. Default: 3,000. */
  graceMs?: number;
  /**
   * Where step outputs live when it is not `background_job_steps`, such as Inngest's `step.run`.
   * Must return what a resumed run will see.
   */
  runStep?: <T>(name: string, work: () => Promise<T>) => Promise<T>;
}

export interface PerformHost extends PerformHostOptions {
  readonly heartbeats: Heartbeats;
  readonly completions: Completions;
  readonly graceMs: number;
  readonly secrets: SecretBox;
  readonly clock: AttemptClock;
}

/** One per drain, or per request where a request runs one job: its heartbeats and completions are shared. */
export function createPerformHost(options: PerformHostOptions): PerformHost {
  return {
    graceMs: 3_000,
    ...options,
    secrets: options.secrets ?? createSecretBox([]),
    heartbeats: createHeartbeats(options),
    completions: createCompletions(options.queue),
    clock: createAttemptClock(options),
  };
}
