import fc from 'fast-check';
import { expect, it } from 'vitest';
import { useQueue } from './test-queue.ts';
import { propertySeed } from '../support/property-seed.ts';

const queue = useQueue();

const optional = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: undefined });
const job = fc.record({
  type: fc.constantFrom('known', 'unknown'),
  payload: optional(fc.dictionary(fc.constantFrom('a', 'b'), fc.integer())),
  lane: optional(fc.constantFrom('edge', 'worker')),
  priority: optional(fc.integer({ min: -10_000, max: 10_000 })),
  run_at: optional(fc.constantFrom('2030-01-01T00:00:00Z', '2020-01-01T00:00:00Z')),
  expires_at: optional(fc.constant('2040-01-01T00:00:00Z')),
  max_retries: optional(fc.nat(1000)),
  timeout_seconds: optional(fc.integer({ min: 1, max: 1000 })),
  concurrency_key: optional(fc.constant('k')),
  concurrency_limit: optional(fc.integer({ min: 5, max: 9 })),
  inngest_event_id: optional(fc.constant('event')),
  inngest_run_id: optional(fc.constant('run')),
  repository_id: optional(fc.constant('0194f3c2-7c1a-7000-8000-000000000001')),
});

const columns = `type, payload, status, lane, priority, max_retries, timeout_seconds, concurrency_key, concurrency_limit,
  inngest_event_id, inngest_run_id, repository_id, callback_url, failure_reason, retry_count,
  case when run_at < now() - interval '1 day' or run_at > now() + interval '1 day' then run_at end as run_at,
  date_trunc('day', expires_at - run_at) as keeps`;

it('a job becomes the same row whether it is enqueued alone or with others', async () => {
  await queue.syncTypes({
    ...{
      type: 'known',
      lane: 'inline',
      timeout_seconds: 7,
      max_retries: 5,
      priority: 2,
      concurrency_limit: 4,
    },
  });
  await fc.assert(
    fc.asyncProperty(fc.array(job, { minLength: 2, maxLength: 4 }), async (jobs) => {
      await queue.sql('delete from background_jobs');
      await queue.enqueue(...jobs);
      for (const single of jobs) await queue.enqueue(single);
      const rows = await queue.sql(`select ${columns} from background_jobs order by id`);
      expect(rows.slice(jobs.length)).toEqual(rows.slice(0, jobs.length));
    }),
    { seed: propertySeed, numRuns: 30 },
  );
});
