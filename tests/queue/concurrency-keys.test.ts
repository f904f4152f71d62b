import { describe, expect, it } from 'vitest';
import { type Claimed, lease, useQueue } from './test-queue.ts';

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

/** Slots of a claim of many are in its lease, those of a claim of few in rows. */
describe.each([
  { claimed: 'claimed alone', others: 0, rows: 1 },
  { claimed: 'claimed among many', others: 80, rows: 0 },
])('the slot of a job $claimed', ({ others, rows }) => {
  const key = { concurrency_key: 'k' };
  const otherKeys = Array.from({ length: others }, (_, n) => `other ${n}`);

  /** A running job, whose claim brought others of other keys. */
  async function running(): Promise<Claimed> {
    const ids = await queue.enqueue(...otherKeys.map((concurrency_key) => ({ type: 'a', concurrency_key })), {
      type: 'a',
      ...key,
    });
    const claimed = await queue.claim({ maxJobs: ids.length });
    expect(claimed).toHaveLength(ids.length);
    return claimed.find(({ id }) => id === ids.at(-1))!;
  }

  const busy = (...keys: string[]) =>
    queue.sql('select concurrency_key, job_id from job_queue.busy_slots($1)', [keys]);

  it('is taken while it runs', async () => {
    const { id } = await running();
    expect(await queue.value('select count(*)::int from background_job_slots')).toBe(rows);
    expect(await busy('k', 'l')).toEqual([{ concurrency_key: 'k', job_id: id }]);
    expect(await busy('k', ...otherKeys)).toHaveLength(1 + others);
  });

  it.each<[string, (job: Claimed) => Promise<unknown>]>([
    ['completion', (job) => queue.complete(lease(job))],
    [
      'completion by its lease',
      (job) => queue.sql('select complete_job_batch($1, $2)', [job.lease_token, [job.id]]),
    ],
    ['failure', (job) => queue.fail(job, { retryable: false })],
    ['retry', (job) => queue.fail(job, { retryAfter: 3600 })],
    [
      'snooze',
      ({ id, lease_token: token }) =>
        queue.sql(`select snooze_background_job($1, $2, now() + interval '1 hour', '')`, [id, token]),
    ],
    [
      'hand-off',
      ({ id, lease_token: token }) => queue.sql('select hand_off_background_job($1, $2)', [id, token]),
    ],
    [
      'crash',
      async ({ id }) => {
        await queue.expireLeases(id);
        await queue.sql('select sweep_background_jobs()');
      },
    ],
    ['hand edit', ({ id }) => queue.sql(`update background_jobs set status = 'failed' where id = $1`, [id])],
    ['hand delete', ({ id }) => queue.sql('delete from background_jobs where id = $1', [id])],
    [
      'key taken away by hand',
      ({ id }) =>
        queue.sql(`update background_jobs set concurrency_key = null, lane = 'inline' where id = $1`, [id]),
    ],
  ])('is free for the next one after: %s', async (_name, end) => {
    const job = await running();
    const [waiting] = await queue.enqueue({ type: 'waiting', ...key });
    expect(await queue.claim()).toEqual([]);
    await end(job);
    expect(await busy('k')).toEqual([]);
    const next = await queue.claim({ types: ['waiting'] });
    expect(next.map(({ id }) => id)).toEqual([waiting]);
    expect(await busy('k')).toEqual([{ concurrency_key: 'k', job_id: waiting }]);
  });

  it('goes to the new key when that is changed by hand', async () => {
    const job = await running();
    const [waiting] = await queue.enqueue({ type: 'waiting', ...key });
    expect(await queue.claim()).toEqual([]);
    await queue.sql(`update background_jobs set concurrency_key = 'l' where id = $1`, [job.id]);
    expect(await busy('k', 'l')).toEqual([{ concurrency_key: 'l', job_id: job.id }]);
    expect((await queue.claim()).map(({ id }) => id)).toEqual([waiting]);
    await queue.complete(lease(job));
    expect(await busy('l')).toEqual([]);
  });

  it('stays one slot when something else is changed by hand', async () => {
    const { id } = await running();
    await queue.sql('update background_jobs set priority = 5 where id = $1', [id]);
    expect(await busy('k')).toEqual([{ concurrency_key: 'k', job_id: id }]);
  });

  it('is one slot when it is tried again while the others of its claim still run', async () => {
    const job = await running();
    await queue.fail(job, { retryAfter: 0 });
    await queue.enqueue(...otherKeys.map((other) => ({ type: 'a', concurrency_key: `another ${other}` })));
    expect(await queue.claim({ maxJobs: 1 + others })).toHaveLength(1 + others);
    expect(await busy('k')).toEqual([{ concurrency_key: 'k', job_id: job.id }]);
  });

  it('keeps the next one from being claimed by name, says so, and wakes nobody for it', async () => {
    const { id } = await running();
    const [waiting] = await queue.enqueue({ type: 'waiting', ...key });
    expect(await queue.sql(`select * from claim_background_job($1, 'w', 60)`, [waiting])).toEqual([]);
    expect(await queue.value(`select job_queue.runnable_jobs('edge')`)).toBe('0');
    expect(await queue.value('select explain_background_job($1)', [waiting])).toContain(
      `job ${id} is running`,
    );
  });

  it('is looked at by the sweep when the note of its key was lost', async () => {
    const job = await running();
    const [waiting] = await queue.enqueue({ type: 'waiting', ...key });
    expect(await queue.claim()).toEqual([]);
    await queue.sql('select sweep_background_jobs()');
    expect(await queue.claim()).toEqual([]);
    await queue.complete(lease(job));
    await queue.sql('delete from background_job_freed_keys');
    expect(await queue.claim()).toEqual([]);
    await queue.sql('select sweep_background_jobs()');
    expect((await queue.claim()).map(({ id }) => id)).toEqual([waiting]);
  });
});

it('claims of many keep the limits of their keys beside each other, and every job runs', async () => {
  const limits = Object.fromEntries(Array.from({ length: 120 }, (_, n) => [`k${n}`, 1 + (n % 3)]));
  const jobs = Object.entries(limits).flatMap(([concurrency_key, concurrency_limit]) =>
    Array.from({ length: 8 }, () => ({ type: 'a', concurrency_key, concurrency_limit })),
  );
  await queue.enqueue(...jobs);
  let done = 0;
  let inLeases = 0;
  const claimer = async (worker: string) => {
    while (done < jobs.length) {
      const claimed = await queue.claim({ worker, maxJobs: 100 });
      for (const [key, running] of Object.entries(await runningPerKey()))
        expect(running, key).toBeLessThanOrEqual(limits[key]!);
      inLeases += await queue.value<number>(
        'select count(*)::int from background_job_leases where slot_keys is not null',
      );
      // In two parts: the lease outlives the first.
      const half = claimed.length >> 1;
      for (const part of [claimed.slice(0, half), claimed.slice(half)]) {
        if (part.length > 0) await queue.complete(...part.map((job) => lease(job)));
        done += part.length;
      }
    }
  };
  await Promise.all(Array.from({ length: 6 }, (_, n) => claimer(`w${n}`)));
  expect(inLeases).toBeGreaterThan(0);
  expect(done).toBe(jobs.length);
});
