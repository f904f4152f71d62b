import type pg from 'pg';
import { describe, expect, it } from 'vitest';
import { lease, useQueue } from './test-queue.ts';

const queue = useQueue();

const manyJobs = 500;

/** Plans of the statements inside the functions that `work` calls, as the server logged them, with what each step read. */
async function plansOf(client: pg.PoolClient, work: () => Promise<unknown>): Promise<string[]> {
  const plans: string[] = [];
  const note = ({ message = '' }: { message?: string }) => plans.push(message);
  client.on('notice', note);
  await client.query(`load 'auto_explain'`);
  await client.query(
    `set auto_explain.log_min_duration = 0; set auto_explain.log_nested_statements = on; set auto_explain.log_analyze = on;
     set client_min_messages = log`,
  );
  await work();
  await client.query('reset client_min_messages; reset auto_explain.log_min_duration');
  client.off('notice', note);
  return plans;
}

/** Finished jobs of the past, and a line of waiting ones. Analysed when the line was empty, as it is at most times. */
async function fill(client: pg.PoolClient): Promise<void> {
  await client.query('analyze background_jobs; analyze background_job_ready; analyze background_job_leases');
  await client.query('set session_replication_role = replica');
  await client.query(
    `insert into background_jobs (type, lane, status, priority, max_retries, timeout_seconds, expires_at,
       created_at, started_at, completed_at, duration_ms)
     select 'plan', 'edge', 'completed', 0, 3, 60, now(), now() - n * interval '1 second', now(), now(), 5
     from generate_series(1, 50000) n`,
  );
  await client.query('reset session_replication_role');
  for (let n = 0; n < 6; n++) {
    const jobs = Array.from({ length: 2_000 }, (_, job) => ({ type: 'plan', ...keyOf(job) }));
    await client.query('select count(*) from enqueue_background_jobs($1)', [JSON.stringify(jobs)]);
  }
}

/** Every third job has a key, which the next ones that have it must wait for. */
const keyOf = (job: number): { concurrency_key?: string } =>
  job % 3 === 0 ? { concurrency_key: `key ${job % 1_000}` } : {};

/** Plans with such a scan. A bitmap of the ids that were asked for reads what it needs; one of a line does not. */
const withScan = (plans: string[], scans: string, table: string): string[] =>
  plans.filter((plan) => new RegExp(`(${scans}) on ${table}\\b`).test(plan));

/** Rows that a step of the plan read in vain: the most of all steps. */
function readInVain(plan: string): number {
  let most = 0;
  let loops = 0;
  for (const line of plan.split('\n')) {
    loops = Number(/ loops=(\d+)\)/.exec(line)?.[1] ?? loops);
    // An average over the loops.
    const removed = Number(/Rows Removed by (?:Join )?Filter: (\d+)/.exec(line)?.[1] ?? 0);
    most = Math.max(most, removed * loops);
  }
  return most;
}

/** What runs for each job, or for many at a time. */
async function runHotStatements(client: pg.PoolClient): Promise<void> {
  const jobs = await queue.claim({ maxJobs: manyJobs }, client);
  const leases = JSON.stringify(jobs.map((job) => lease(job)));
  await client.query('select * from heartbeat_background_jobs($1, 60)', [leases]);
  await client.query('select * from complete_background_jobs($1)', [leases]);
  for (const [count, results] of [[manyJobs, null] as const, [3, '["a", "b", "c"]'] as const]) {
    const { rows } = await client.query<{ batch: { lease_token: string; ids: string[] } }>(
      `select claim_job_batch('edge', 'w1', $1, 60) as batch`,
      [count],
    );
    const { lease_token: token, ids } = rows[0]!.batch;
    await client.query('select complete_job_batch($1, $2, $3)', [token, ids, results]);
  }
  await client.query('select * from enqueue_background_jobs($1)', [
    JSON.stringify([{ type: 'plan', idempotency_key: jobs[0]?.id }, { type: 'plan' }]),
  ]);
  await client.query(`select enqueue_background_job('plan', idempotency_key => $1)`, [jobs[1]?.id]);
}

describe('on a database with a history, and a line whose statistics are old', () => {
  it('no hot statement reads more of a table than it needs', async () => {
    const client = await queue.connect();
    await fill(client);
    // Plans of the first calls of a session differ from those that it keeps.
    for (let n = 0; n < 6; n++) await runHotStatements(client);
    const plans = await plansOf(client, () => runHotStatements(client));
    expect(plans.length).toBeGreaterThan(10);
    for (const table of ['background_jobs', 'background_job_leases', 'background_job_slots'])
      expect(withScan(plans, 'Seq Scan', table), table).toEqual([]);
    expect(withScan(plans, 'Seq Scan|Bitmap Heap Scan', 'background_job_ready')).toEqual([]);
    // Many compared with as many would be the square of it.
    expect(plans.filter((plan) => readInVain(plan) > 10 * manyJobs)).toEqual([]);
    await client.query('truncate background_jobs cascade');
  });

  it('a claim whose keys are all busy compares each of them with its own slots only', async () => {
    const client = await queue.connect();
    const keys = 1_000;
    for (let n = 0; n < 3; n++) {
      const jobs = Array.from({ length: keys }, (_, key) => ({
        type: 'plan',
        concurrency_key: `key ${key}`,
      }));
      await client.query('select count(*) from enqueue_background_jobs($1)', [JSON.stringify(jobs)]);
    }
    expect(await queue.claim({ maxJobs: keys }, client)).toHaveLength(keys);
    const plans = await plansOf(client, () => queue.claim({ maxJobs: keys }, client));
    expect(plans.filter((plan) => plan.includes('busy_slots')).length).toBeGreaterThan(0);
    expect(plans.filter((plan) => readInVain(plan) > 10 * keys)).toEqual([]);
    await client.query('truncate background_jobs cascade');
  });

  it('a claim takes the ready rows in the order of their index, without a sort', async () => {
    const client = await queue.connect();
    await fill(client);
    const plans = await plansOf(client, () => queue.claim({ maxJobs: 10 }, client));
    const picks = plans.filter((plan) => /LockRows/.test(plan) && /background_job_ready_order/.test(plan));
    expect(picks.length).toBeGreaterThan(0);
    for (const pick of picks) expect(pick).not.toMatch(/Sort/);
    await client.query('truncate background_jobs cascade');
  });
});
