import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pageAt } from './docs/pages.ts';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from './support/database.ts';

/** The arrows of the picture, as `queued --> processing`. */
const picture = pageAt('docs/concepts.md').blocks.find(({ language }) => language === 'mermaid')?.code;
const arrows = [...(picture ?? '').matchAll(/^ +(\S+) --> (\S+): .+$/gm)].map(
  ([, from, to]) => `${from} --> ${to}`,
);

let database: TestDatabase;
beforeAll(async () => (database = await createTestDatabase()));
afterAll(async () => {
  await expectSoundQueue(database.pool);
  await database.close();
});

async function ask<Row extends object>(sql: string, ...values: unknown[]): Promise<Row | undefined> {
  return (await database.pool.query<Row>(sql, values)).rows[0];
}

interface Job {
  id: string;
  type: string;
  /** Of its last claim; it holds only while the job is processing. */
  token: string;
}

async function enqueue(more: object = {}): Promise<Job> {
  const job = { type: `test/${randomUUID()}`, lane: 'edge', idempotency_key: randomUUID(), ...more };
  const row = await ask<{ id: string }>('select id from enqueue_background_jobs($1)', JSON.stringify([job]));
  return { id: row?.id ?? '', type: job.type, token: randomUUID() };
}

async function claim(job: Job): Promise<void> {
  const sql = 'select lease_token as token from claim_background_job($1, $2, 30)';
  const row = await ask<{ token: string }>(sql, job.id, 'test');
  if (row) job.token = row.token;
}

const complete = (job: Job) =>
  ask('select complete_background_jobs($1)', JSON.stringify([{ job_id: job.id, lease_token: job.token }]));
const fail = (job: Job, retryable: boolean) =>
  ask('select fail_background_job($1, $2, $3, $4)', job.id, job.token, '{"message": "no"}', retryable);
const cancel = (job: Job) => ask('select cancel_background_job($1)', job.id);
const sweep = () => ask('select sweep_background_jobs()');
const internally = 'update background_jobs set revision = revision + 1';

/** How a job comes into each state. */
const states: Record<string, (job: Job) => Promise<unknown>> = {
  queued: () => Promise.resolve(),
  processing: claim,
  completed: async (job) => {
    await claim(job);
    await complete(job);
  },
  failed: async (job) => {
    await claim(job);
    await fail(job, false);
  },
  cancelled: cancel,
};

/** Everything that a process or an operator may say about a job; hand edits of the row aside. */
const operations: Record<string, (job: Job) => Promise<unknown>> = {
  claim,
  complete,
  'fail, to be retried': (job) => fail(job, true),
  'fail for good': (job) => fail(job, false),
  snooze: (job) =>
    ask(`select snooze_background_job($1, $2, now() + interval '1 hour', 'later')`, job.id, job.token),
  'hand off': (job) => ask('select hand_off_background_job($1, $2)', job.id, job.token),
  'cancel, and end at the heartbeat': async (job) => {
    await cancel(job);
    await fail(job, true);
  },
  retry: (job) => ask('select retry_failed_job($1, true)', job.id),
  redrive: (job) => ask('select redrive_dead_letter_jobs($1)', job.type),
  discard: (job) => ask('select discard_dead_letter_jobs($1)', job.type),
  'lose its process': async ({ id }) => {
    await ask(
      `update background_job_leases set lease_until = now() - interval '1 minute' where $1 = any (job_ids)`,
      id,
    );
    await ask(
      `${internally}, lease_until = now() - interval '1 minute' where id = $1 and status = 'processing'`,
      id,
    );
    await sweep();
  },
  expire: async ({ id }) => {
    await ask(`${internally}, expires_at = now() - interval '1 minute' where id = $1`, id);
    await sweep();
  },
};

const statusOf = async ({ id }: Job) =>
  (await ask<{ status: string }>('select status from background_jobs where id = $1', id))?.status;

describe('the picture in docs/concepts.md', () => {
  test('has the states that a row may have', async () => {
    const { id } = await enqueue();
    const refusal: unknown = await ask(`update background_jobs set status = 'done' where id = $1`, id).catch(
      String,
    );
    const allowed = /expected (.*), got done/.exec(String(refusal))?.[1]?.split(/, | or /) ?? [];
    const drawn = new Set(arrows.flatMap((arrow) => arrow.split(' --> ')));
    drawn.delete('[*]');
    expect([...drawn].toSorted()).toEqual(allowed.toSorted());
    expect(Object.keys(states).toSorted()).toEqual(allowed.toSorted());
  });

  test('has an arrow for each way out of a state that the database knows, and no other', async () => {
    const seen = new Set(['[*] --> queued']);
    for (const [from, bring] of Object.entries(states))
      for (const operate of Object.values(operations)) {
        const job = await enqueue();
        await bring(job);
        expect(await statusOf(job)).toBe(from);
        await operate(job);
        const to = await statusOf(job);
        if (to !== from) seen.add(`${from} --> ${to}`);
      }
    for (const on_parent_failure of ['cancel', 'fail', 'run']) {
      const parent = await enqueue();
      const child = await enqueue({ depends_on: [parent.id], on_parent_failure });
      await cancel(parent);
      const to = await statusOf(child);
      if (to !== 'queued') seen.add(`queued --> ${to}`);
    }
    expect([...arrows].toSorted()).toEqual([...seen].toSorted());
  });
});
