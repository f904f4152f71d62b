import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from '../../../tests/support/database.ts';
import { type HybridEndpoint, startHybridEndpoint } from '../../../tests/support/hybrid-endpoint.ts';
import { claimNew, testHost, testJob } from '../../../tests/support/queue-host.ts';
import { createInngestExecutor, type InngestExecutor } from '../../local/inngest-executor.ts';
import { createJobQueue, type JobQueue } from '../../queue/job-queue.ts';
import { perform } from '../../queue/perform.ts';
import type { JobDefinition } from '../define-job.ts';
import { sweepJobs } from './sweep-jobs.ts';

const everyMinute = '* * * * *';
const catalog = [sweepJobs, testJob('test/job', z.unknown(), () => Promise.resolve(null))] as JobDefinition[];

let database: TestDatabase;
let queue: JobQueue;
let endpoint: HybridEndpoint;
let inngest: InngestExecutor;
let minute = 0;

beforeAll(async () => {
  database = await createTestDatabase();
  queue = createJobQueue(database.rpc);
  await queue.syncJobTypes(catalog);
  endpoint = await startHybridEndpoint({ rpc: database.rpc, catalog, sweepsByInngest: true });
  inngest = createInngestExecutor({ url: endpoint.url });
});
afterAll(async () => {
  await endpoint.close();
  await database.close();
});
beforeEach(async () => {
  await database.pool.query('delete from background_jobs');
  await database.pool.query('update background_job_wakes set woken_at = null');
  endpoint.wakes.length = 0;
});
afterEach(() => expectSoundQueue(database.pool));

/** The next minute comes. @returns the job's result */
async function tick(): Promise<unknown> {
  minute += 1;
  const [run] = await inngest.tick(everyMinute, new Date(Date.UTC(2026, 10, 22, 6, minute)));
  expect(run).toMatchObject({ functionId: 'hybrid-jobs-sweep-jobs', status: 'completed' });
  return (run?.output as { result: unknown }).result;
}

const triggers = async (url: string): Promise<unknown> => {
  const listed = (await (await fetch(url)).json()) as { functions: { id: string; triggers: unknown }[] };
  return listed.functions.find(({ id }) => id === 'hybrid-jobs-sweep-jobs')?.triggers;
};

describe('the sweep by Inngest', () => {
  it('is started every minute where it is switched on, by its event alone elsewhere', async () => {
    expect(await triggers(endpoint.url)).toEqual([{ event: 'system/jobs.sweep' }, { cron: everyMinute }]);
    const usual = await startHybridEndpoint({ rpc: database.rpc, catalog });
    expect(await triggers(usual.url)).toEqual([{ event: 'system/jobs.sweep' }]);
    await usual.close();
  });

  it('wakes process-job for a job that nobody woke it for', async () => {
    await queue.enqueue([{ type: 'test/job' }]);
    expect(await tick()).toMatchObject({ wakes: 1 });
    expect(endpoint.wakes).toEqual([{ body: '{}', authorization: 'Bearer sb_secret_test' }]);
  });

  it('wakes several isolates for a backlog', async () => {
    await queue.enqueue(Array.from({ length: 900 }, () => ({ type: 'test/job' })));
    expect(await tick()).toMatchObject({ wakes: 5 });
    expect(endpoint.wakes).toHaveLength(5);
  });

  it('wakes nobody for nothing, for a paused type, or for another lane', async () => {
    await queue.enqueue([{ type: 'test/job', lane: 'worker' }]);
    await database.pool.query(`select pause_job_type('test/job')`);
    await queue.enqueue([{ type: 'test/job' }]);
    expect(await tick()).toMatchObject({ wakes: 0 });
    await database.pool.query(`select resume_job_type('test/job')`);
    expect(endpoint.wakes).toEqual([]);
  });

  it('rescues a job whose process died', async () => {
    const job = await claimNew(queue, { type: 'test/job' });
    await database.pool.query(`set session_replication_role = replica;
      update background_jobs set lease_until = now() - interval '1 second' where id = '${job.id}';
      update background_job_leases set lease_until = now() - interval '1 second';
      reset session_replication_role`);
    expect(await tick()).toMatchObject({
      lanes: [{ lane: 'edge', rescued: 1 }, { lane: 'inline' }, { lane: 'worker' }],
    });
    expect(await queue.get(job.id)).toMatchObject({ status: 'queued', retryCount: 1 });
  });
});

it.each([
  ['wakes through its host on the edge lane', 1],
  ['says that it woke nobody where nobody knows process-job', 0],
])('%s', async (_, wakes) => {
  const wake = () => Promise.resolve({ woken: true });
  const host = testHost({ queue, rpc: database.rpc, catalog }, wakes > 0 ? { wake } : {});
  const sweep = await claimNew(queue, { type: 'system/jobs.sweep', lane: 'edge' });
  // Its own claim is that of somebody who drains.
  await database.pool.query(`update background_job_leases set claimed_at = now() - interval '1 minute'`);
  await queue.enqueue([{ type: 'test/job' }]);
  expect(await perform(sweep, host)).toMatchObject({ kind: 'complete', result: { wakes } });
});
