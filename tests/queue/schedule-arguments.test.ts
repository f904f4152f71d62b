import { describe, expect, it } from 'vitest';
import { useQueue } from './test-queue.ts';

const queue = useQueue();

describe('sync_job_schedules', () => {
  it.each(['null', '{}', '[1]', '[[]]', '[[{"type":"a","cron":[]}]]', '[{"type":"a"}]'])(
    'refuses the definitions %s',
    async (definitions) => {
      await expect(queue.sql('select sync_job_schedules($1)', [definitions])).rejects.toMatchObject({
        code: 'PT400',
        message: 'definitions: expected an array of {type, cron: [expression]}',
      });
    },
  );
});

describe('advance_job_schedule', () => {
  it.each(['null', '{}', '[1]', '[[]]', '[[{"due":"2026-01-01"}]]', '[{"due":1}]', '[{}]'])(
    'refuses the ticks %s',
    async (ticks) => {
      const call = queue.sql(`select advance_job_schedule('a', now(), now(), $1)`, [ticks]);
      await expect(call).rejects.toMatchObject({
        code: 'PT400',
        message: 'ticks: expected an array of {due, type?, concurrency_key?, concurrency_limit?}',
      });
    },
  );
});
