import type { JobDefinition } from '../jobs/define-job.ts';
import { indexDefinitions } from '../queue/find-definition.ts';
import type { BegunJob, NewJob } from '../queue/job-queue.ts';
import type { Outcome } from '../queue/outcome.ts';
import { perform } from '../queue/perform.ts';
import { createPerformHost, type PerformHost } from '../queue/perform-host.ts';
import { letGoAfter, quietAfter } from './abandon.ts';
import type { RouterOptions } from './router-options.ts';

/** How long an inline attempt's lease holds without a heartbeat: after a crash the sweep finds it this much later. */
const leaseSeconds = 30;

/** Runs a step of an attempt. `attempt` names it; `stopped` is its signal; `written` resolves after its outcome. */
export type StepsOf = (attempt: {
  id: string;
  stopped: () => AbortSignal | undefined;
  written: Promise<unknown>;
}) => NonNullable<PerformHost['runStep']>;

export interface InlineAttempt {
  definition: JobDefinition;
  job: NewJob;
  /** Who holds the lease. The same name gets the same lease back. */
  worker: string;
  /** Retries spent before this attempt, as far as the caller knows. */
  retryCount: number;
  /** Default: steps are stored in `background_job_steps`. */
  stepsOf?: StepsOf;
  /** Aborted when the caller's request is over: what is still running then must not write an outcome. */
  abandoned?: AbortSignal;
}

/** The row as begin left it, and what became of the attempt; null when it was not ours to run. */
export interface InlineEnd {
  begun: BegunJob;
  outcome: Outcome | null;
}

/**
 * Begins an inline job and, if the database lets us, runs it to its outcome within the budget.
 * @throws {RpcError} begin was refused
 * @throws {DatabaseUnreachableError} begin got no answer: nothing is known
 */
export async function runInline(attempt: InlineAttempt, options: RouterOptions): Promise<InlineEnd> {
  const { queue, now } = options;
  const begunAt = now();
  const begun = await queue.begin(attempt.job, attempt.worker, leaseSeconds);
  if (!begun.run || begun.leaseToken === null) return { begun, outcome: null };
  const { definition, retryCount } = attempt;
  const claimed = {
    id: begun.id,
    type: definition.type,
    payload: attempt.job.payload,
    retryCount,
    maxRetries: definition.maxRetries,
    timeoutSeconds: definition.timeoutSeconds,
    leaseToken: begun.leaseToken,
    steps: {},
  };
  const written = Promise.withResolvers<void>();
  const host = inlineHost(attempt, claimed.leaseToken, written.promise, options);
  const outcome = await perform(claimed, host, { claimedAt: begunAt }).finally(written.resolve);
  return { begun, outcome };
}

function inlineHost(
  attempt: InlineAttempt,
  leaseToken: string,
  written: Promise<unknown>,
  options: RouterOptions,
): PerformHost {
  const { queue, rpc, http, inngestEvents, github, openai, secrets, now, wake, catalog } = options;
  const { inlineBudgetSeconds } = options;
  const { definition, stepsOf, abandoned } = attempt;
  const deadline = new Date(now().getTime() + inlineBudgetSeconds * 1000);
  let signal: AbortSignal | undefined;
  const observed: JobDefinition = {
    ...definition,
    run(ctx) {
      signal = ctx.signal;
      return definition.run(ctx);
    },
  };
  const host = createPerformHost({
    queue,
    rpc,
    http,
    inngestEvents,
    github,
    openai,
    ...(secrets ? { secrets } : {}),
    now,
    wake,
    log: abandoned ? quietAfter(abandoned, options.log) : options.log,
    definitionOf: indexDefinitions([observed, ...catalog]),
    leaseSeconds,
    stopStepsAt: deadline,
    deadline,
    shutdown: new AbortController().signal,
    runStep: stepsOf?.({ id: leaseToken, stopped: () => signal, written }),
  });
  return abandoned ? { ...host, heartbeats: letGoAfter(abandoned, host.heartbeats) } : host;
}
