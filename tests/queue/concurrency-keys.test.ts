import { describe, expect, it } from 'vitest';
import { lease, useQueue } from './test-queue.ts';

const queue = useQueue();

async function runningPerKey(): Promise<Record<string, number>> {
  const rows = await queue.sql<{ key: string; running: number }>(
    `select concurrency_key as key, count(*)::int as running from background_jobs
     where status = 'processing' group by 1`,
  );
  return Object.fromEntries(rows.map(({ key, running }) => [key, running]));
}

describe('concurrency keys', () => {
  it('let their limit of jobs run at a time, and free jobs pass', async () => {
    await queue.enqueue(
      ...Array.from({ length: 5 }, () => ({ type: 'a', concurrency_key: 'k', concurrency_limit: 2 })),
      ...Array.from({ length: 3 }, () => ({ type: 'a', concurrency_key: 'l' })),
      { type: 'free' },
    );
    const first = await queue.claim();
    expect(first.map(({ type }) => type)).toEqual(['a', 'a', 'a', 'free']);
    expect(await runningPerKey()).toMatchObject({ k: 2, l: 1 });
    expect(await queue.claim()).toEqual([]);
    await queue.complete(lease(first[0]!));
    expect(await queue.claim()).toHaveLength(1);
  });

  it('are freed by every way a job can end', async () => {
    const key = { concurrency_key: 'k' };
    const endings: Record<string, (id: string, token: string) => Promise<unknown>> = {
      complete: (id, token) => queue.complete({ job_id: id, lease_token: token }),
      fail: (id, token) => queue.sql(`select fail_background_job($1, $2, '{}', false)`, [id, token]),
      retry: (id, token) => queue.sql(`select fail_background_job($1, $2, '{}', true, 3600)`, [id, token]),
      snooze: (id, token) =>
        queue.sql(`select snooze_background_job($1, $2, now() + interval '1 hour', '')`, [id, token]),
      'hand off': (id, token) => queue.sql('select hand_off_background_job($1, $2)', [id, token]),
      crash: async (id) => {
        await queue.expireLeases(id);
        await queue.sql('select sweep_background_jobs()');
      },
      'hand edit': (id) => queue.sql(`update background_jobs set status = 'failed' where id = $1`, [id]),
      'hand delete': (id) => queue.sql('delete from background_jobs where id = $1', [id]),
      'key taken away by hand': (id) =>
        queue.sql(`update background_jobs set concurrency_key = null, lane = 'inline' where id = $1`, [id]),
    };
    for (const [name, end] of Object.entries(endings)) {
      const job = await queue.running(key);
      await end(job.id, job.lease_token);
      expect(await queue.sql('select * from background_job_slots'), name).toEqual([]);
    }
  });

  it('changed by hand while a job runs give its slot to the new key', async () => {
    const { id } = await queue.running({ concurrency_key: 'k' });
    await queue.sql(`update background_jobs set concurrency_key = 'l' where id = $1`, [id]);
    expect(await queue.sql('select job_id, concurrency_key from background_job_slots')).toEqual([
      { job_id: id, concurrency_key: 'l' },
    ]);
  });

  it("take up no more than 2,000 of the server's locks by a claim, and the next claim goes on", async () => {
    await queue.enqueue(
      ...Array.from({ length: 2_500 }, (_, n) => ({ type: 'a', concurrency_key: `k${n}` })),
    );
    const claimer = await queue.connect();
    await claimer.query('begin');
    expect(await queue.claim({ maxJobs: 2_500 }, claimer)).toHaveLength(2_000);
    const locks = await claimer.query(
      `select 1 from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()`,
    );
    expect(locks.rows.length).toBeLessThan(2_010);
    await claimer.query('commit');
    expect(await queue.claim({ maxJobs: 2_500 })).toHaveLength(500);
  });

  it('hold under eight claimers at once, and every job runs', async () => {
    const limits: Record<string, number> = { k1: 1, k2: 2, k3: 3 };
    const jobs = Object.entries(limits).flatMap(([concurrency_key, concurrency_limit]) =>
      Array.from({ length: 40 }, () => ({ type: 'a', concurrency_key, concurrency_limit })),
    );
    await queue.enqueue(...jobs);
    let done = 0;
    const claimer = async (worker: string) => {
      while (done < jobs.length) {
        for (const job of await queue.claim({ worker, maxJobs: 7 })) {
          for (const [key, running] of Object.entries(await runningPerKey()))
            expect(running).toBeLessThanOrEqual(limits[key] as number);
          expect(await queue.complete(lease(job))).toEqual([true]);
          done++;
        }
      }
    };
    await Promise.all(Array.from({ length: 8 }, (_, n) => claimer(`w${n}`)));
    expect(await queue.value(`select count(*)::int from background_jobs where status = 'completed'`)).toBe(
      jobs.length,
    );
  });

  it('hold when named jobs and batches are claimed at once', async () => {
    const ids = await queue.enqueue(
      ...Array.from({ length: 60 }, () => ({ type: 'a', concurrency_key: 'k', concurrency_limit: 2 })),
    );
    let done = 0;
    const finish = async (jobs: { id: string; lease_token: string }[]) => {
      for (const job of jobs) {
        expect((await runningPerKey()).k).toBeLessThanOrEqual(2);
        await queue.complete({ job_id: job.id, lease_token: job.lease_token });
        done++;
      }
    };
    const named = async (mine: string[]) => {
      for (const id of mine)
        await finish(await queue.sql(`select * from claim_background_job($1, 'one', 60)`, [id]));
    };
    const batches = async () => {
      while (done < ids.length) await finish(await queue.claim({ maxJobs: 5 }));
    };
    await Promise.all(
      [0, 1, 2, 3].map((part) => named(ids.filter((_, n) => n % 4 === part))).concat(batches()),
    );
    expect(done).toBe(ids.length);
  });
});
