import type { JobDefinition } from '../jobs/define-job.ts';
import type { FollowUpJob } from '../jobs/job-context.ts';
import type { NewJob } from './job-queue.ts';
import { parsePayload } from './parse-payload.ts';
import { toStorableJson } from './storable-json.ts';

/** The limit of `enqueue_background_jobs`. */
const payloadLimitBytes = 1_048_576;

/**
 * A follow-up as the queue enqueues it: under its canonical type, with the concurrency key of its definition.
 * @throws {NonRetryableError} its payload does not fit its definition
 */
export async function toNewJob(
  followUp: FollowUpJob,
  definitionOf: (name: string) => JobDefinition | undefined,
): Promise<NewJob> {
  const what = `payload of follow-up job ${followUp.type}`;
  const payload = toStorableJson(what, followUp.payload ?? {}, payloadLimitBytes).value;
  const definition = definitionOf(followUp.type);
  if (!definition) return { ...followUp, payload };
  const parsed = await parsePayload(definition, payload);
  return { ...followUp, payload, type: definition.type, ...concurrencyOf(definition, parsed) };
}

function concurrencyOf(definition: JobDefinition, payload: unknown): Partial<NewJob> {
  if (!definition.concurrency) return {};
  const { concurrency } = definition;
  return { concurrencyKey: concurrency.key(payload), concurrencyLimit: concurrency.limit };
}
