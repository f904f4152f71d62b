import type { JobDefinition, Lane } from '../jobs/define-job.ts';
import { findDefinition } from '../queue/find-definition.ts';
import { type JobEvent, toNewJob, UnknownEventError } from './event.ts';
import { runInline } from './inline.ts';
import { type JobReceipt, receiptOfBegun, receiptOfOutcome, waitsOnEdge } from './receipt.ts';
import { isLimited } from './lanes.ts';
import type { RouterOptions } from './router-options.ts';

export interface Router {
  /**
   * Routes one event without Inngest: an inline job runs now, any other is enqueued and its lane woken. An inline job
   * with a concurrency limit or a throttle is enqueued on the edge lane, where the queue keeps its limit.
   * @throws {UnknownEventError} no job kind answers to the event
   * @throws {NonRetryableError} the payload is too large or has no JSON form
   * @throws {RpcError} the database refused the job
   * @throws {DatabaseUnreachableError} nothing is known about the job: send the event again, with the same id
   */
  dispatch(event: JobEvent): Promise<JobReceipt>;
}

/** The router for processes that receive events themselves. */
export function createRouter(options: RouterOptions): Router {
  return {
    async dispatch(event) {
      const definition = findDefinition(options.catalog, event.name);
      if (!definition) throw new UnknownEventError(event.name);
      const lane = await options.laneOf(definition);
      if (lane !== 'inline' && definition.lane !== 'inline')
        return await enqueue(event, definition, lane, options);
      return isLimited(definition)
        ? await enqueue(event, definition, lane === 'inline' ? 'edge' : lane, options)
        : await runNow(event, definition, options);
    },
  };
}

async function runNow(
  event: JobEvent,
  definition: JobDefinition,
  options: RouterOptions,
): Promise<JobReceipt> {
  const job = await toNewJob(event, definition, 'inline');
  const worker = `router:${crypto.randomUUID()}`;
  const { begun, outcome } = await runInline({ definition, job, worker, retryCount: 0 }, options);
  const receipt = outcome ? receiptOfOutcome(begun.id, outcome) : receiptOfBegun(begun);
  if (waitsOnEdge(begun, outcome)) await options.wake();
  return receipt;
}

async function enqueue(
  event: JobEvent,
  definition: JobDefinition,
  lane: Lane,
  options: RouterOptions,
): Promise<JobReceipt> {
  const [row] = await options.queue.enqueue([await toNewJob(event, definition, lane)]);
  if (!row) throw new Error(`enqueue answered no row for event ${event.name}`);
  if (lane === 'edge') await options.wake();
  return { jobId: row.id, lane, status: row.status };
}
