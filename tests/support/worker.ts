import type { z } from 'zod';
import { defineJob, type JobDefinition } from '../../src/jobs/define-job.ts';
import type { JobContext } from '../../src/jobs/job-context.ts';
import { createOutsideHttp } from '../../src/runtime/outside-http.ts';
import { startWorker, type Worker, type WorkerOptions } from '../../src/worker/worker.ts';
import type { TestDatabase } from './database.ts';
import { noOpenAi } from './no-openai.ts';
import { silentLogger } from './silent-logger.ts';

/** So rarely that only the bell can be what finds a job, in milliseconds. */
const never = 1_000_000;

/** A worker without looks and sweeps of its own: it runs what it is rung for. `overrides` may bring them back. */
export async function startTestWorker(
  database: Pick<TestDatabase, 'url'>,
  catalog: readonly JobDefinition[],
  overrides: Partial<WorkerOptions> = {},
): Promise<Worker> {
  return await startWorker({
    databaseUrl: database.url,
    worker: `test:${crypto.randomUUID()}`,
    lanes: ['worker'],
    concurrency: 10,
    leaseSeconds: 30,
    drainSeconds: 20,
    keepDays: 30,
    scheduler: 'inngest',
    catalog,
    github: () => () => {
      throw new Error('this test job has no GitHub');
    },
    openai: () => noOpenAi,
    http: createOutsideHttp(),
    log: silentLogger,
    now: () => new Date(),
    pollMs: never,
    sweepSeconds: never / 1000,
    ...overrides,
  });
}

/** A job of the worker lane. */
export function workerJob<Payload>(
  type: string,
  payload: z.ZodType<Payload>,
  run: (ctx: JobContext<Payload>) => Promise<unknown>,
  more: { lane?: 'edge' | 'worker'; maxRetries?: number } = {},
): JobDefinition {
  return defineJob({ type, payload, run, lane: 'worker', ...more });
}
