import { RpcError } from '../database/rpc.ts';
import type { JobDefinition, Lane } from '../jobs/define-job.ts';
import { NonRetryableError } from '../jobs/outcomes.ts';
import { findDefinition } from '../queue/find-definition.ts';
import type { NewJob } from '../queue/job-queue.ts';
import { blamesData } from '../queue/persist.ts';
import { type JobEvent, toNewJob } from './event.ts';
import { isLimited, type LaneOf } from './lanes.ts';
import type { Router } from './router.ts';
import type { RouterOptions } from './router-options.ts';

export interface AcceptOptions {
  /** Quick jobs run before the call returns, within the inline budget. Default: they wait on the edge lane, too. */
  runQuickJobs?: boolean;
}

/**
 * Takes any number of events, as Inngest would: one that no job kind answers to is fine, and one whose `ts` is still
 * to come makes a job that waits until then. The queue gets all of them in one call. Taking the same events again
 * makes no second row.
 * @throws {RefusedEventError} the database will never take this event; nothing was enqueued
 * @throws {RpcError} the database refused for a reason that is not in the events
 * @throws {DatabaseUnreachableError} nothing is known: take the same events again
 */
export type Accept = (events: readonly JobEvent[], options?: AcceptOptions) => Promise<void>;

/** One event of a call cannot become a row. */
export class RefusedEventError extends Error {
  override readonly name = 'RefusedEventError';
  /** Position of the event in the call, from 0. */
  readonly index: number;

  constructor(index: number, cause: Error) {
    super(cause.message, { cause });
    this.index = index;
  }
}

/** An event with the job that it makes. */
interface Routed {
  index: number;
  event: JobEvent;
  job: NewJob;
  /** May run inline, and nobody but Inngest would have to hold it back. */
  isQuick: boolean;
}

export function createAccept(options: RouterOptions, router: Router): Accept {
  return async (events, { runQuickJobs = false } = {}) => {
    const routed = await route(events, options);
    await enqueue(
      routed.filter(({ isQuick }) => !(runQuickJobs && isQuick)),
      options,
    );
    if (!runQuickJobs) return;
    const left = await runInTurn(
      routed.filter(({ isQuick }) => isQuick),
      router,
      options,
    );
    await enqueue(left, options);
  };
}

async function route(events: readonly JobEvent[], options: RouterOptions): Promise<Routed[]> {
  const laneOf = askedOnce(options.laneOf);
  const now = options.now();
  const routed: Routed[] = [];
  const unknown = new Set<string>();
  for (const [index, event] of events.entries()) {
    const definition = findDefinition(options.catalog, event.name);
    if (!definition) unknown.add(event.name);
    else routed.push(await toRouted(index, event, definition, await laneOf(definition), now));
  }
  if (unknown.size > 0)
    options.log.warn({ names: [...unknown].slice(0, 20) }, 'no job kind answers to these events');
  return routed;
}

/** All events of a call take one answer, also while the database gives none. */
function askedOnce(laneOf: LaneOf): LaneOf {
  const known = new Map<JobDefinition, Promise<Lane>>();
  return (definition) => {
    const lane = known.get(definition) ?? laneOf(definition);
    known.set(definition, lane);
    return lane;
  };
}

async function toRouted(
  index: number,
  event: JobEvent,
  definition: JobDefinition,
  lane: Lane,
  now: Date,
): Promise<Routed> {
  const queuedLane = lane === 'worker' ? 'worker' : 'edge';
  const job = await naming(index, () => toNewJob(event, definition, queuedLane));
  const runAt = event.ts !== undefined && event.ts > now.getTime() ? new Date(event.ts) : undefined;
  const isQuick = lane === 'inline' && !isLimited(definition) && runAt === undefined;
  return { index, event, job: runAt === undefined ? job : { ...job, runAt }, isQuick };
}

async function enqueue(routed: readonly Routed[], { queue, wake, log }: RouterOptions): Promise<void> {
  const rows = await queue.enqueue(routed.map(({ job }) => job)).catch((error: unknown) => {
    throw refusalOf(error, routed);
  });
  if (rows.length === 0) return;
  log.info({ jobs: rows.length, created: rows.filter(({ created }) => created).length }, 'events enqueued');
  if (rows.some(({ status }, position) => status === 'queued' && routed[position]?.job.lane === 'edge'))
    await wake();
}

/** @returns those for which no time was left */
async function runInTurn(
  quick: readonly Routed[],
  router: Router,
  { now, inlineBudgetSeconds }: RouterOptions,
): Promise<readonly Routed[]> {
  const endsAt = now().getTime() + inlineBudgetSeconds * 1000;
  for (const [position, { index, event }] of quick.entries()) {
    if (now().getTime() >= endsAt) return quick.slice(position);
    await naming(index, () => router.dispatch(event));
  }
  return [];
}

async function naming<T>(index: number, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof NonRetryableError) throw new RefusedEventError(index, error);
    if (error instanceof RpcError && blamesData(error)) throw new RefusedEventError(index, error);
    throw error;
  }
}

/** `enqueue_background_jobs` names the job that it refuses by its position: `jobs[3].payload: …`. */
function refusalOf(error: unknown, routed: readonly Routed[]): unknown {
  if (!(error instanceof RpcError) || !blamesData(error)) return error;
  const position = /\bjobs\[(\d+)\]/.exec(error.message)?.[1];
  const refused = position === undefined ? undefined : routed[Number(position)];
  return refused ? new RefusedEventError(refused.index, error) : error;
}
