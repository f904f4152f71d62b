import type pg from 'pg';
import { beforeAll, expect, it } from 'vitest';
import { operator, useOperatorDesk } from './operator-desk.ts';

const desk = useOperatorDesk();
const JOBS = 20_000;

/** A long history, of which one job in fifty failed, and a few jobs that wait. */
beforeAll(async () => {
  const client = await desk.database().pool.connect();
  await client.query('set session_replication_role = replica');
  await client.query(
    `insert into background_jobs (id, type, lane, status, priority, max_retries, timeout_seconds, created_at, expires_at,
       started_at, completed_at, failed_at)
     select job_queue.first_uuid_at(t.at), 'type/' || t.n % 20, 'edge', case when t.n % 50 = 0 then 'failed' else 'completed' end,
            0, 3, 60, t.at, t.at, t.at, case when t.n % 50 > 0 then t.at end, case when t.n % 50 = 0 then t.at end
     from (select n, now() - (${JOBS} - n) * interval '1 minute' as at from generate_series(1, ${JOBS}) as n) t`,
  );
  await client.query('reset session_replication_role');
  client.release();
  await desk.sql('analyze background_jobs');
  await desk.enqueue({ type: 'type/1' }, { type: 'type/2' }, { type: 'type/3', depends_on: [0] });
});

interface Reads {
  scans: number;
  rows: number;
}

/** How often one page scans the whole table, and how many of its rows it reads. */
async function readsOf(filter: object, after: unknown = null): Promise<Reads> {
  const client = await desk.database().pool.connect();
  const counters = async () => {
    const text = `select seq_scan::int as scans, (seq_tup_read + coalesce(idx_tup_fetch, 0))::int as rows
                  from pg_stat_xact_user_tables where relname = 'background_jobs'`;
    return (await client.query<Reads>(text)).rows[0] ?? { scans: 0, rows: 0 };
  };
  try {
    await client.query('begin');
    await actAs(client);
    await client.query('select operator_jobs($1, 50, $2)', [filter, after && JSON.stringify(after)]);
    await client.query('reset role');
    return await counters();
  } finally {
    await client.query('rollback');
    client.release();
  }
}

async function actAs(client: pg.PoolClient): Promise<void> {
  await client.query('set local role authenticated');
  await client.query(`select set_config('request.jwt.claims', $1, true)`, [JSON.stringify(operator)]);
}

const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();

// Several filters to a test: after each test the whole queue is checked.
it('a page reads few rows, whatever the length of the history', async () => {
  const filters: object[] = [
    {},
    { status: 'queued' },
    { status: 'processing' },
    { status: 'failed' },
    { status: 'failed', from: daysAgo(7) },
    { from: daysAgo(11), to: daysAgo(10) },
    { type: 'type/4', to: daysAgo(3) },
  ];
  for (const filter of filters) {
    const reads = await readsOf(filter);
    expect(reads.scans, JSON.stringify(filter)).toBe(0);
    expect(reads.rows, JSON.stringify(filter)).toBeLessThan(3000);
  }
});

it('looking for what is nowhere scans no table', async () => {
  const filters: object[] = [
    { type: 'none' },
    { text: 'nowhere' },
    { repository: 'octo-org/none' },
    { status: 'cancelled' },
    { status: 'failed', type: 'none' },
  ];
  for (const filter of filters) expect((await readsOf(filter)).scans, JSON.stringify(filter)).toBe(0);
});

it('a later page reads no more than the first', async () => {
  const { next } = await desk.ask<{ next: unknown }>('operator_jobs', {
    filter: { to: daysAgo(10) },
    page_size: 50,
  });
  const reads = await readsOf({ to: daysAgo(10) }, next);
  expect(reads.scans).toBe(0);
  expect(reads.rows).toBeLessThan(1000);
});

it('the index of failed jobs leaves claims and completions as cheap as they were', async () => {
  const text = `select pg_get_indexdef(indexrelid) as definition from pg_index
                where indrelid = 'background_jobs'::regclass and indexrelid::regclass::text ~ 'failed'`;
  const [index] = await desk.sql<{ definition: string }>(text);
  // status in the predicate would make every claim and completion write each index anew.
  expect(index?.definition).toMatch(/\(failed_at, id\) WHERE \(failed_at IS NOT NULL\)$/);
});
