import type pg from 'pg';
import { z } from 'zod';
import { createPgRpc } from '../../src/database/pg-rpc.ts';
import { defineJob, type JobDefinition } from '../../src/jobs/define-job.ts';
import { migrate } from '../../src/local/migrate.ts';
import { createOpenAi } from '../../src/openai/create-openai.ts';
import { createJobQueue, type NewJob } from '../../src/queue/job-queue.ts';
import { createNodeLogger } from '../../src/runtime/node-logger.ts';
import { createOutsideHttp } from '../../src/runtime/outside-http.ts';
import { startWorker } from '../../src/worker/worker.ts';
import { type Contender, jobType, type Payload, type Producer } from './contender.ts';

const concurrency = 2000;

/** The whole product: its always-on worker, with validation, heartbeats, doorbell and housekeeping. */
export const hybridJobs: Contender = {
  name: 'hybrid-jobs',
  settings: { concurrency },
  install,
  openProducer,
  async startWorker(databaseUrl, started) {
    const job = defineJob({
      type: jobType,
      lane: 'worker',
      payload: z.object({
        repository: z.string(),
        prNumber: z.int(),
        reason: z.string(),
        n: z.int(),
        key: z.string().optional(),
      }),
      run: ({ payload }) => Promise.resolve(started(payload)),
    });
    return await startWorker({
      databaseUrl,
      worker: `bench ${process.pid}`,
      lanes: ['worker'],
      concurrency,
      leaseSeconds: 30,
      drainSeconds: 10,
      keepDays: 30,
      scheduler: 'inngest',
      catalog: [job],
      github: () => () => {
        throw new Error('the job of the benchmark has no GitHub');
      },
      openai: (rpc, log) => createOpenAi({ apiKey: undefined, rpc, log }),
      http: createOutsideHttp(),
      log: createNodeLogger({ level: 'warn' }),
      now: () => new Date(),
    });
  },
};

const definition: JobDefinition = defineJob({
  type: jobType,
  lane: 'worker',
  payload: z.unknown(),
  run: () => Promise.reject(new Error('only mirrored into job_types')),
});

/** With the migrations of this tree. */
export async function install(databaseUrl: string): Promise<void> {
  await migrate(databaseUrl, createNodeLogger({ level: 'warn' }));
}

export async function openProducer(pool: pg.Pool): Promise<Producer> {
  const rpc = createPgRpc(pool, { prepare: true });
  const queue = createJobQueue(rpc);
  const newJob = (payload: Payload): NewJob => ({
    type: jobType,
    payload,
    ...(payload.key ? { concurrencyKey: payload.key, concurrencyLimit: 1 } : {}),
  });
  await queue.syncJobTypes([definition]);
  return {
    async enqueueMany(payloads) {
      await queue.enqueue(payloads.map(newJob));
    },
    async enqueueOne(payload) {
      await queue.enqueue([newJob(payload)]);
    },
    async enqueueOneApart(payload) {
      await rpc('enqueue_background_job', { type: jobType, payload, hand_over: true });
    },
    async claimOne() {
      const [job] = await queue.claim({ lane: 'worker', worker: 'bench', maxJobs: 1, leaseSeconds: 60 });
      if (!job) throw new Error('hybrid-jobs: expected a waiting job');
      const { id: jobId, leaseToken } = job;
      return async () => void (await queue.complete([{ jobId, leaseToken, result: null }]));
    },
    async unfinished() {
      const { rows } = await pool.query<{ jobs: number }>(
        `select coalesce((select sum(queued) from queue_depth), 0)::integer
           + coalesce((select sum(remaining) from background_job_leases), 0)::integer as jobs`,
      );
      return rows[0]?.jobs ?? NaN;
    },
    async reset() {
      await pool.query('truncate background_jobs cascade');
    },
    async close() {},
  };
}
