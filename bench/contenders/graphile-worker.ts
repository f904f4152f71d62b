import { Logger, makeWorkerUtils, run, runMigrations } from 'graphile-worker';
import type { Contender, Payload } from './contender.ts';
import { jobType } from './contender.ts';

const maxPoolSize = 10;
const worker = {
  concurrentJobs: 100,
  localQueue: { size: 2000 },
  completeJobBatchDelay: 10,
  failJobBatchDelay: 10,
};

const silent = new Logger(() => () => {});

/** Deletes a job when it is done: it keeps no history. A key is a named queue, which runs one job after the other. */
export const graphileWorker: Contender = {
  name: 'graphile-worker',
  settings: { ...worker, maxPoolSize },

  install: (connectionString) => runMigrations({ connectionString, logger: silent }),

  async openProducer(pool) {
    const utils = await makeWorkerUtils({ pgPool: pool, logger: silent });
    return {
      async enqueueMany(payloads) {
        await utils.addJobs(
          payloads.map((payload) => ({ identifier: jobType, payload, queueName: payload.key })),
        );
      },
      async enqueueOne(payload) {
        await utils.addJob(jobType, payload);
      },
      async unfinished() {
        const { rows } = await pool.query<{ jobs: number }>(
          'select count(*)::integer as jobs from graphile_worker._private_jobs',
        );
        return rows[0]?.jobs ?? NaN;
      },
      async reset() {
        await pool.query('truncate graphile_worker._private_jobs, graphile_worker._private_job_queues');
      },
      close: async () => void (await utils.release()),
    };
  },

  async startWorker(connectionString, started) {
    const runner = await run({
      connectionString,
      maxPoolSize,
      preset: { worker: { ...worker, maxPoolSize } },
      taskList: { [jobType]: (payload) => started(payload as Payload) },
      parsedCronItems: [],
      noHandleSignals: true,
      logger: silent,
    });
    return { stop: () => runner.stop() };
  },
};
