import type { JobDefinition, Lane } from '../jobs/define-job.ts';
import { NonRetryableError } from '../jobs/outcomes.ts';
import type { NewJob } from '../queue/job-queue.ts';
import { parsePayload } from '../queue/parse-payload.ts';
import { toStorableJson } from '../queue/storable-json.ts';

/** An Inngest event, or one that reached the router directly. */
export interface JobEvent {
  /** A job type or an alias. */
  name: string;
  /** The job's payload. Default: `{}`. */
  data?: unknown;
  /** Two events with one id are one event. Default: a new id. */
  id?: string;
  /** When it happened, in milliseconds since the epoch. Of a cron tick: the time it was due. */
  ts?: number;
}

/** Inngest's event of a cron trigger, whatever the job. */
const tickName = 'inngest/scheduled.timer';

/** No job kind of this deployment answers to the event. */
export class UnknownEventError extends Error {
  override readonly name = 'UnknownEventError';

  constructor(eventName: string) {
    super(`event ${eventName}: no job type or alias of this name in the catalog`);
  }
}

/** Largest payload, as `enqueue_background_jobs` sets it. */
const payloadLimitBytes = 1_048_576;

/**
 * The job that an event asks for. Its idempotency key is made of type and event id, so that one event makes one row
 * whichever way and however often it arrives; a cron tick's of type and minute, for each endpoint gets a tick of its own.
 * @param lane - `inline` leaves the lane to `begin_background_job`
 * @throws {NonRetryableError} the payload is too large or has no JSON form
 */
export async function toNewJob(
  event: JobEvent,
  definition: JobDefinition,
  lane: Lane,
  inngestRunId?: string,
): Promise<NewJob> {
  const eventId = event.id ?? crypto.randomUUID();
  const what = `job ${definition.type}: payload`;
  const data = event.name === tickName ? {} : (event.data ?? {});
  const payload = toStorableJson(what, data, payloadLimitBytes).value;
  return {
    type: definition.type,
    payload,
    priority: definition.priority,
    maxRetries: definition.maxRetries,
    timeoutSeconds: definition.timeoutSeconds,
    idempotencyKey: `${definition.type}${utcMinute(event) ?? `:${eventId}`}`,
    inngestEventId: eventId,
    ...(lane === 'inline' ? {} : { lane }),
    ...(inngestRunId === undefined ? {} : { inngestRunId }),
    ...(await concurrencyOf(definition, payload)),
  };
}

/** Of a cron tick, for example `@2026-11-22T03:17Z`; by Inngest's clock, since a delivery may be late. */
function utcMinute({ name, ts }: JobEvent): string | null {
  if (name !== tickName || ts === undefined) return null;
  return `@${new Date(ts).toISOString().slice(0, 16)}Z`;
}

/** A malformed payload has no key; the row is made all the same, and its run fails with the reason. */
async function concurrencyOf(definition: JobDefinition, payload: unknown): Promise<Partial<NewJob>> {
  if (!definition.concurrency) return {};
  const { concurrency } = definition;
  try {
    const parsed = await parsePayload(definition, payload);
    return { concurrencyKey: concurrency.key(parsed), concurrencyLimit: concurrency.limit };
  } catch (error) {
    if (error instanceof NonRetryableError) return {};
    throw error;
  }
}
