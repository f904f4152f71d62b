import { LeaseLostError, type Rpc } from '../database/rpc.ts';
import type { RpcCall } from '../database/rpc-call.ts';
import type { GitHub } from '../github/github.ts';
import type { FollowUpJob, JobContext } from '../jobs/job-context.ts';
import type { OpenAi } from '../openai/openai.ts';
import type { Logger } from '../runtime/logger.ts';
import { type Attempt, AttemptStopped } from './attempt.ts';
import { type AttemptSteps, createAttemptSteps } from './attempt-steps.ts';
import type { PerformHost } from './perform-host.ts';
import { createProgressReporter, type ProgressReporter } from './progress-reporter.ts';

/** What an attempt leaves behind besides its return value. */
export interface AttemptTraces {
  readonly followUps: readonly FollowUpJob[];
  /** True when a step was refused for want of time: the job is not done, whatever its run makes of the refusal. */
  readonly refusedStep: boolean;
}

export interface AttemptContext extends AttemptTraces {
  /** What the job's `run` receives. */
  readonly context: JobContext<unknown>;
  /**
   * To be called when the run has ended. Waits for steps that still run beside a refused one, until the attempt is
   * stopped, and for a progress report that is under way; drops a later one. Undefined when there is nothing to wait for.
   */
  close(): Promise<void> | undefined;
}

/** Most jobs use little of it: each part is made when it is first asked for. */
export function createAttemptContext(attempt: Attempt, host: PerformHost, payload: unknown): AttemptContext {
  return new AttemptParts(attempt, host, payload);
}

class AttemptParts implements AttemptContext {
  readonly context: JobContext<unknown>;
  readonly attempt: Attempt;
  readonly host: PerformHost;
  #followUps: FollowUpJob[] | undefined;
  #log: Logger | undefined;
  #steps: AttemptSteps | undefined;
  #reporter: ProgressReporter | undefined;
  #github: GitHub | undefined;
  #rpc: Rpc | undefined;
  #closed = false;

  constructor(attempt: Attempt, host: PerformHost, payload: unknown) {
    this.attempt = attempt;
    this.host = host;
    this.context = new RunContext(this, payload);
  }

  get log(): Logger {
    const { id, type } = this.attempt.job;
    return (this.#log ??= this.host.log.child({ jobId: id, type }));
  }

  get steps(): AttemptSteps {
    return (this.#steps ??= createAttemptSteps(this.attempt, this.host));
  }

  get reporter(): ProgressReporter {
    if (!this.#reporter) {
      this.#reporter = createProgressReporter(this.attempt, this.host.queue, () => this.log);
      // Who reports for the first time after the end is not heard either.
      if (this.#closed) void this.#reporter.close();
    }
    return this.#reporter;
  }

  get github(): GitHub {
    return (this.#github ??= this.host.github(this.log).withSignal(this.attempt.signal));
  }

  get rpc(): Rpc {
    return (this.#rpc ??= fencedRpc(this.attempt, this.host));
  }

  get followUps(): FollowUpJob[] {
    return (this.#followUps ??= []);
  }

  get refusedStep(): boolean {
    return this.#steps?.refused() ?? false;
  }

  close(): Promise<void> | undefined {
    return this.refusedStep
      ? this.#steps?.settled().then(() => this.#closeReporter())
      : this.#closeReporter();
  }

  #closeReporter(): Promise<void> | undefined {
    this.#closed = true;
    return this.#reporter?.close();
  }
}

/** Functions are made when they are read, so that a job may take them out of the context: `run({ step })`. */
class RunContext implements JobContext<unknown> {
  readonly jobId: string;
  readonly type: string;
  readonly retryCount: number;
  readonly payload: unknown;
  readonly #parts: AttemptParts;

  constructor(parts: AttemptParts, payload: unknown) {
    const { job } = parts.attempt;
    this.jobId = job.id;
    this.type = job.type;
    this.retryCount = job.retryCount;
    this.payload = payload;
    this.#parts = parts;
  }

  get step(): JobContext<unknown>['step'] {
    return this.#parts.steps.step;
  }

  get signal(): AbortSignal {
    return this.#parts.attempt.signal;
  }

  get deadline(): Date {
    return this.#parts.attempt.deadline;
  }

  get progress(): JobContext<unknown>['progress'] {
    return this.#parts.reporter.report;
  }

  get log(): Logger {
    return this.#parts.log;
  }

  get github(): GitHub {
    return this.#parts.github;
  }

  get openai(): OpenAi {
    return this.#parts.host.openai.withSignal(this.signal);
  }

  get secrets(): JobContext<unknown>['secrets'] {
    return this.#parts.host.secrets;
  }

  get rpc(): JobContext<unknown>['rpc'] {
    return this.#parts.rpc;
  }

  get wake(): JobContext<unknown>['wake'] {
    const { host } = this.#parts;
    return async (isolates) => (await host.wake?.(isolates))?.woken ?? false;
  }

  get http(): JobContext<unknown>['http'] {
    return this.#parts.host.http;
  }

  get inngestEvents(): JobContext<unknown>['inngestEvents'] {
    return this.#parts.host.inngestEvents ?? null;
  }

  get openEmbedder(): JobContext<unknown>['openEmbedder'] {
    return this.#parts.host.openEmbedder ?? null;
  }

  get parents(): JobContext<unknown>['parents'] {
    const { host } = this.#parts;
    return () => host.queue.parents(this.jobId);
  }

  get enqueue(): JobContext<unknown>['enqueue'] {
    const { followUps } = this.#parts;
    return (followUp) => void followUps.push(followUp);
  }
}

/**
 * Calls happen only while the attempt holds its job: one that was lost changes nothing any more. A call that nobody answers
 * is given up with the attempt: it would keep its connection from the jobs that come next.
 */
function fencedRpc(attempt: Attempt, { rpc }: PerformHost): Rpc {
  const { job, lease } = attempt;
  const { jobId, leaseToken } = lease;
  return async <Result>(...[name, args, options]: RpcCall): Promise<Result> => {
    try {
      const signal = options?.signal ? AbortSignal.any([options.signal, attempt.over]) : attempt.over;
      return await rpc<Result>(...([name, args, { signal, lease: { jobId, leaseToken } }] as RpcCall));
    } catch (error) {
      if (!(error instanceof LeaseLostError)) throw error;
      attempt.stop('lost');
      throw new AttemptStopped(job, 'lost');
    }
  };
}
