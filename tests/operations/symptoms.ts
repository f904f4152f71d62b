import type pg from 'pg';
import { catalog } from '../../src/jobs/catalog.ts';
import { createJobQueue, type ClaimedJob, type JobQueue, type NewJob } from '../../src/queue/job-queue.ts';
import { standIns } from '../queue/extension-stand-ins.ts';
import type { TestDatabase } from '../support/database.ts';

export interface Symptom {
  /** Makes a healthy queue ill. May return what ends it without the runbook, for the clean-up. */
  bring(world: World): Promise<void | (() => Promise<void>)>;
  /** What the runbook's query shows then. */
  shows: object[];
  /** The runbook waits so long before it takes action; a test does not. */
  patience?: string;
  /** Looks at what the end block of this number (from 0) has done. */
  afterEnd?: Record<number, (world: World) => Promise<void>>;
}

export interface World {
  database: TestDatabase;
  queue: JobQueue;
  sql: <Row extends pg.QueryResultRow>(text: string, values?: unknown[]) => Promise<Row[]>;
}

export function createWorld(database: TestDatabase): World {
  return {
    database,
    queue: createJobQueue(database.rpc),
    sql: async <Row extends pg.QueryResultRow>(text: string, values: unknown[] = []) =>
      (await database.pool.query<Row>(text, values)).rows,
  };
}

async function running({ queue }: World, ...jobs: NewJob[]): Promise<ClaimedJob[]> {
  await queue.enqueue(jobs);
  return await queue.claim({
    lane: 'edge',
    worker: 'process-job 1',
    maxJobs: jobs.length,
    leaseSeconds: 600,
  });
}

async function failed(world: World, message: string, ...types: string[]): Promise<ClaimedJob[]> {
  await world.queue.syncJobTypes(catalog);
  const jobs = await running(world, ...types.map((type) => ({ type, lane: 'edge' as const })));
  for (const job of jobs)
    await world.queue.fail({ jobId: job.id, leaseToken: job.leaseToken }, { name: 'Error', message }, false);
  return jobs;
}

const tenMinutesAgo = (): Date => new Date(Date.now() - 600_000);
const internally = 'update background_jobs set revision = revision + 1';

/** By the heading of the runbook. */
export const symptoms: Record<string, Symptom> = {
  'Stuck jobs': {
    async bring(world) {
      const jobs = await running(world, { type: 'test/crashed' });
      await running(world, { type: 'test/endless', timeoutSeconds: 60 });
      await world.sql(
        `update background_job_leases set lease_until = now() - interval '1 minute' where job_ids && $1`,
        [jobs.map(({ id }) => id)],
      );
      await world.sql(`${internally}, lease_until = now() - interval '1 minute' where type = 'test/crashed'`);
      await world.sql(`${internally}, started_at = now() - interval '5 minutes' where type = 'test/endless'`);
    },
    shows: [
      { type: 'test/endless', reason: 'it runs longer than its time-out allows' },
      { type: 'test/crashed', reason: 'its lease expired and no sweep has rescued it yet' },
    ],
    afterEnd: {
      0: async ({ sql }) => expectOnly(await sql('select type from stuck_jobs'), 'test/endless'),
    },
  },

  'Growing queue': {
    async bring({ queue }) {
      await queue.syncJobTypes(catalog);
      const old = { lane: 'edge', runAt: tenMinutesAgo() } as const;
      await queue.enqueue([
        ...Array.from({ length: 50 }, () => ({ type: 'system/ping', ...old })),
        { type: 'sync/discussions', ...old },
        { type: 'capture/pr.reviews', ...old },
      ]);
    },
    shows: [{ type: 'capture/pr.reviews' }, { type: 'sync/discussions' }, { type: 'system/ping', due: '50' }],
    afterEnd: {
      0: async ({ queue }) => {
        const [first] = await queue.claim({ lane: 'edge', worker: 'look', maxJobs: 1, leaseSeconds: 1 });
        expectOnly([first ?? { type: 'nothing' }], 'capture/pr.reviews');
      },
      1: async ({ sql }) =>
        await until(async () =>
          expectOnly(await sql('select distinct type from queue_depth'), 'sync/discussions'),
        ),
    },
  },

  'High failure rate': {
    async bring(world) {
      await failed(world, 'GitHub answered 502', 'capture/pr.reviews', 'capture/pr.reviews');
    },
    shows: [
      {
        type: 'capture/pr.reviews',
        failure_reason: 'non_retryable',
        error: 'GitHub answered 502',
        jobs: '2',
      },
    ],
  },

  'Quota exhausted': {
    async bring({ sql }) {
      const until = new Date(Date.now() + 3_600_000).toISOString();
      const report = {
        quota: 'github:core',
        token: 'fingerprint',
        allowance: 5000,
        remaining: 0,
        resets_at: until,
      };
      await sql('select report_job_quotas($1)', [JSON.stringify([report])]);
    },
    shows: [{ quota: 'github:core', remaining: '0', allowance: '5000' }],
  },

  'Dead letters': {
    async bring(world) {
      await failed(world, 'GitHub answered 502', 'capture/pr.comments');
      await failed(world, 'connect ECONNREFUSED', 'capture/pr.reviews');
      const [old] = await failed(world, 'no such issue', 'capture/issue.comments');
      await world.sql(`update background_jobs set failed_at = now() - interval '2 hours' where id = $1`, [
        old?.id,
      ]);
    },
    shows: [{ jobs: '1' }, { jobs: '1' }, { jobs: '1' }],
    afterEnd: {
      0: async ({ sql }) =>
        expectOnly(
          await sql(`select type from background_jobs where status = 'queued'`),
          'capture/pr.comments',
        ),
    },
  },

  'Database full': {
    async bring({ sql }) {
      await sql(`insert into background_jobs (id, type, status, created_at, completed_at)
        select job_queue.first_uuid_at(at), 'test/old', 'completed', at, at
        from (select now() - interval '40 days' + n * interval '1 second' as at from generate_series(1, 500) n) old`);
      await sql(
        `do $$ begin execute format('alter database %I set default_transaction_read_only = on', current_database()); end $$`,
      );
    },
    shows: [{ finished_jobs: '500' }],
  },

  'Worker gone': {
    async bring({ queue }) {
      await queue.enqueue([{ type: 'system/ping', lane: 'worker' }]);
    },
    shows: [{ lane: 'worker', due: '1' }],
  },

  'Wake path broken': {
    async bring({ sql }) {
      for (const extension of Object.values(standIns)) await sql(extension);
      await sql(`select wake_process_job('https://project.supabase.co/functions/v1/process-job')`);
    },
    shows: [{ lane: 'edge', problem: 'Vault has no secret named process_job_secret' }],
  },

  'Schedule did not run': {
    async bring({ sql }) {
      for (const name of ['nightly sync', 'hourly ping'])
        await sql(`select set_job_schedule($1, 'system/ping', '0 * * * *')`, [name]);
      await sql(`update job_schedules set problem = 'cron: no such day' where name = 'nightly sync'`);
      await sql(
        `update job_schedules set evaluated_until = now() - interval '2 hours' where name = 'hourly ping'`,
      );
    },
    shows: [
      { name: 'hourly ping', problem: null },
      { name: 'nightly sync', problem: 'cron: no such day' },
    ],
    afterEnd: {
      0: async ({ sql }) =>
        expectOnly(
          await sql('select name as type from job_schedules where problem is null order by 1 limit 1'),
          'hourly ping',
        ),
    },
  },

  'Connections exhausted': {
    patience: `interval '5 minutes'`,
    async bring({ database }) {
      const forgetful = await database.pool.connect();
      forgetful.on('error', () => {});
      await forgetful.query(
        `begin; set application_name = 'forgetful'; select count(*) from background_jobs`,
      );
      return () => Promise.resolve(forgetful.release(true));
    },
    shows: [{ application_name: 'forgetful', state: 'idle in transaction' }],
  },
};

function expectOnly(rows: { type?: unknown }[], type: string): void {
  const types = rows.map((row) => row.type);
  if (types.length !== 1 || types[0] !== type)
    throw new Error(`expected ${type} only, got ${types.join(', ') || 'nothing'}`);
}

/** Repeats a look until it does not throw, for a minute. */
async function until(look: () => Promise<void>): Promise<void> {
  const giveUpAt = Date.now() + 60_000;
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (Date.now() > giveUpAt) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
