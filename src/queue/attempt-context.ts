import type { RpcCall } from '../database/rpc-call.ts';
import type { GitHub } from '../github/github.ts';
import type { FollowUpJob, JobContext } from '../jobs/job-context.ts';
import type { Logger } from '../runtime/logger.ts';
import { LeaseLostError, type Rpc } from '../database/rpc.ts';
import { type Attempt, AttemptStopped } from './attempt.ts';
import { type AttemptSteps, createAttemptSteps } from './attempt-steps.ts';
import type { PerformHost } from './perform-host.ts';
import { createProgressReporter } from './progress-reporter.ts';

export interface AttemptContext {
  readonly context: JobContext<unknown>;
  readonly steps: AttemptSteps;
  readonly followUps: readonly FollowUpJob[];
  /** Waits for a progress report that is under way, and drops a later one. */
  close(): Promise<void>;
}

/** Builds what the job's `run` receives. */
export function createAttemptContext(attempt: Attempt, host: PerformHost, payload: unknown): AttemptContext {
  const { job } = attempt;
  /** Made for the first line: most jobs log nothing. */
  let child: Logger | undefined;
  const log = (): Logger => (child ??= host.log.child({ jobId: job.id, type: job.type }));
  const reporter = createProgressReporter(attempt, host.queue, log);
  const steps = createAttemptSteps(attempt, host);
  const followUps: FollowUpJob[] = [];
  let github: GitHub | undefined;
  const context: JobContext<unknown> = {
    jobId: job.id,
    type: job.type,
    retryCount: job.retryCount,
    payload,
    step: (name, work) => steps.step(name, work),
    get signal() {
      return attempt.signal;
    },
    deadline: attempt.deadline,
    progress: (percent, message) => reporter.report(percent, message),
    get log() {
      return log();
    },
    get github() {
      github ??= host.github(log()).withSignal(attempt.signal);
      return github;
    },
    get openai() {
      return host.openai.withSignal(attempt.signal);
    },
    secrets: host.secrets,
    rpc: fencedRpc(attempt, host),
    wake: async (isolates) => (await host.wake?.(isolates))?.woken ?? false,
    http: host.http,
    inngestEvents: host.inngestEvents ?? null,
    openEmbedder: host.openEmbedder ?? null,
    parents: () => host.queue.parents(job.id),
    enqueue: (followUp) => void followUps.push(followUp),
  };
  return { context, steps, followUps, close: () => reporter.close() };
}

/** Calls happen only while the attempt holds its job: one that was lost changes nothing any more. */
function fencedRpc(attempt: Attempt, { rpc }: PerformHost): Rpc {
  const { job, lease } = attempt;
  const { jobId, leaseToken } = lease;
  return async <Result>(...[name, args, options]: RpcCall): Promise<Result> => {
    try {
      return await rpc<Result>(...([name, args, { ...options, lease: { jobId, leaseToken } }] as RpcCall));
    } catch (error) {
      if (!(error instanceof LeaseLostError)) throw error;
      attempt.stop('lost');
      throw new AttemptStopped(job, 'lost');
    }
  };
}
