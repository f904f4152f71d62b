import type { InngestFunction } from 'inngest';
import type { JobDefinition } from '../jobs/define-job.ts';

type Features = Pick<
  InngestFunction.Options,
  'retries' | 'concurrency' | 'throttle' | 'priority' | 'cancelOn'
>;

/**
 * Inngest tries this often to deliver an event, at least: some four hours with its backoff. The row counts the job's
 * own retries and ends them with a `NonRetriableError`; these here are for a database or a host that is away.
 */
const deliveryRetries = 10;

/** Inngest's limit. */
const mostRetries = 20;

/** Inngest's limit of the seconds by which a run may overtake others, or let them pass. */
const mostPrioritySeconds = 600;

/**
 * An event that cancels the run of the event that it names. Inngest knows neither the row nor, in an expression, the run:
 * by those `system/jobs.cancel` finds the row, whose attempt then ends at its next heartbeat.
 */
const cancelRequested = {
  event: 'cancel/function',
  if: 'async.data.reason == "user_requested" && (async.data.eventId == event.id || async.data.event_id == event.id)',
};

/**
 * What Inngest itself is to observe of a definition. How many run at a time, and how many start within a period, concerns
 * it for inline jobs only: of a queued one it runs nothing but the enqueueing, and SQL keeps the limits.
 */
export function inngestFeatures(definition: JobDefinition): Features {
  const { maxRetries, priority, lane } = definition;
  const retries = Math.min(mostRetries, Math.max(deliveryRetries, maxRetries));
  return {
    retries: retries as NonNullable<Features['retries']>,
    cancelOn: [cancelRequested],
    ...(priority === 0 ? {} : { priority: { run: prioritySeconds(priority) } }),
    ...(lane === 'inline' ? inlineLimits(definition) : {}),
  };
}

function prioritySeconds(minutes: number): string {
  return String(Math.max(-mostPrioritySeconds, Math.min(mostPrioritySeconds, minutes * 60)));
}

/** The definition of an inline job has an expression where it has a limit. */
function inlineLimits({ concurrency, throttle }: JobDefinition): Pick<Features, 'concurrency' | 'throttle'> {
  const key = concurrency?.expression;
  return {
    ...(concurrency && key ? { concurrency: { limit: concurrency.limit, key } } : {}),
    ...(throttle ? { throttle: { limit: throttle.limit, period: `${throttle.periodSeconds}s` } } : {}),
  };
}
