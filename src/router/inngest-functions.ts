import {
  type Context,
  type Inngest,
  type InngestFunction,
  NonRetriableError,
  RetryAfterError,
} from 'inngest';
import { RpcError } from '../database/rpc.ts';
import type { JobDefinition, Lane } from '../jobs/define-job.ts';
import { NonRetryableError } from '../jobs/outcomes.ts';
import type { Outcome } from '../queue/outcome.ts';
import { blamesData } from '../queue/persist.ts';
import type { Scheduler } from '../runtime/config.ts';
import { toNewJob } from './event.ts';
import { recordFailedDelivery } from './failed-delivery.ts';
import { runInline } from './inline.ts';
import { inngestFeatures } from './inngest-options.ts';
import { inngestSteps, type StepRun } from './inngest-steps.ts';
import { awaitJobEnd, saysThatJobWasDeleted } from './job-end.ts';
import { type JobReceipt, receiptOfBegun, receiptOfOutcome, waitsOnEdge } from './receipt.ts';
import { endOfRequest, RequestEnd } from './request-end.ts';
import type { RouterOptions } from './router-options.ts';

/** One Inngest function per job kind, triggered by its type, its aliases and its cron times. */
export function createInngestFunctions(options: InngestFunctionsOptions): InngestFunction.Any[] {
  return options.served.map((definition) => createFunction(definition, options) as InngestFunction.Any);
}

export interface InngestFunctionsOptions extends RouterOptions {
  client: Inngest;
  /** The job kinds of the catalog that Inngest may call here. */
  served: readonly JobDefinition[];
  /** Cron times become triggers where Inngest is the scheduler. */
  scheduler: Scheduler;
}

function createFunction(definition: JobDefinition, options: InngestFunctionsOptions) {
  const { client, inlineBudgetSeconds, scheduler } = options;
  return client.createFunction(
    {
      id: definition.functionId,
      name: definition.title,
      triggers: [
        ...[definition.type, ...definition.aliases].map((event) => ({ event })),
        ...(scheduler === 'inngest' ? definition.cron.map((cron) => ({ cron })) : []),
      ],
      ...inngestFeatures(definition),
      onFailure: ({ event, error }) =>
        // An awaited job that somebody deleted was delivered: it must not come back as a failed one.
        saysThatJobWasDeleted(error)
          ? undefined
          : recordFailedDelivery(
              { event: event.data.event, runId: event.data.run_id, error },
              definition,
              options,
            ),
      // The steps that follow when half the budget is spent start in a request of their own.
      checkpointing: { maxRuntime: inlineBudgetSeconds * 500 },
      middleware: [RequestEnd],
    },
    (context: Context.Any) => handle(context, definition, options),
  );
}

async function handle(
  context: Context.Any,
  definition: JobDefinition,
  options: RouterOptions,
): Promise<JobReceipt> {
  const lane = await options.laneOf(definition);
  const waits = lane !== 'inline' && definition.lane !== 'inline';
  const receipt = waits
    ? await enqueue(context, definition, lane, options)
    : await finalFailures(() => runNow(context, definition, options));
  const isAtItsEnd = !waits && receipt.status === 'completed';
  if (isAtItsEnd || !definition.awaitCompletion) return receipt;
  return await awaitJobEnd(context, receipt.jobId, options.queue);
}

async function runNow(
  context: Context.Any,
  definition: JobDefinition,
  options: RouterOptions,
): Promise<JobReceipt> {
  const { event, runId, attempt, step } = context;
  const stepRun: StepRun = (id, work) => step.run(id, work);
  const abandoned = endOfRequest(context);
  const { begun, outcome } = await runInline(
    {
      definition,
      job: await toNewJob(event, definition, 'inline', runId),
      // Not the attempt: Inngest counts it from zero again after each step, and the lease must be found again.
      worker: `inngest:${runId}`,
      retryCount: attempt,
      stepsOf: inngestSteps(stepRun),
      abandoned,
    },
    options,
  );
  // The request ended at a step and a new one replays this handler: like that step, this one never resumes.
  if (outcome?.kind === 'lost' && abandoned.aborted) return await new Promise<never>(() => {});
  const receipt = outcome ? receiptOfOutcome(begun.id, outcome) : receiptOfBegun(begun);
  if (outcome) throwFailure(outcome);
  else if (begun.status === 'failed') throw new NonRetryableError(await reasonOfFailure(begun.id, options));
  if (waitsOnEdge(begun, outcome)) await options.wake();
  return receipt;
}

/** To Inngest a failed attempt is a failed function, so that it tries again, or shows that it will not. */
function throwFailure(outcome: Outcome): void {
  if (outcome.kind === 'failed') throw new NonRetryableError(outcome.error.message);
  if (outcome.kind === 'lost') throw new Error('the lease was lost before the outcome was written');
  if (outcome.kind !== 'retry') return;
  const { error, retryAfterSeconds: wait } = outcome;
  throw wait === undefined ? new Error(error.message) : new RetryAfterError(error.message, wait * 1000);
}

async function reasonOfFailure(jobId: string, { queue }: RouterOptions): Promise<string> {
  const row = await queue.get(jobId);
  return row?.error ?? 'the job has failed for good';
}

async function enqueue(
  { event, runId, step }: Context.Any,
  definition: JobDefinition,
  lane: Lane,
  { queue, wake }: RouterOptions,
): Promise<JobReceipt> {
  const row = await step.run('enqueue', async () => {
    const [enqueued] = await finalFailures(
      async () => await queue.enqueue([await toNewJob(event, definition, lane, runId)]),
    );
    if (!enqueued) throw new Error(`enqueue answered no row for event ${event.name}`);
    return enqueued;
  });
  if (lane === 'edge') await step.run('wake', () => wake());
  return { jobId: row.id, lane, status: row.status };
}

/** What the database refuses for what it is, it refuses tomorrow too. */
async function finalFailures<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isFinal(error)) throw error;
    throw new NonRetriableError(error.message, { cause: error });
  }
}

function isFinal(error: unknown): error is Error {
  return error instanceof NonRetryableError || (error instanceof RpcError && blamesData(error));
}
