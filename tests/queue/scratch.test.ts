import { it } from 'vitest';
import { useQueue } from './test-queue.ts';
const queue = useQueue();
it('scratch', async () => {
  await queue.running({ type: 'keyed', concurrency_key: 'k' });
  const client = await queue.connect();
  await client.query('analyze');
  for (let n = 0; n < 4; n++) await client.query(`select count(*) from enqueue_background_jobs((select jsonb_agg(jsonb_build_object('type','keyed','concurrency_key','k')) from generate_series(1,4000)))`);
  await client.query('update background_job_ready set sort_at = line_at, line_at = null where line_at is not null');
  for (let n = 0; n < 10; n++) await client.query(`select count(*) from enqueue_background_jobs((select jsonb_agg(jsonb_build_object('type','free')) from generate_series(1,5000)))`);
  for (let n = 0; n < 20; n++) {
    const t = performance.now();
    const r = await queue.claim({ maxJobs: 1 }, client);
    console.log(n, r[0]?.type, (performance.now() - t).toFixed(1));
  }
  await client.query('truncate background_jobs cascade');
}, 120000);
