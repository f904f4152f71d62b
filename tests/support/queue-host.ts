import type { z } from 'zod';
import { defineJob, type JobDefinition } from '../../src/jobs/define-job.ts';
import type { JobContext } from '../../src/jobs/job-context.ts';
import { indexDefinitions } from '../../src/queue/find-definition.ts';
import type { ClaimedJob, JobQueue, NewJob } from '../../src/queue/job-queue.ts';
import {
  createPerformHost,
  type PerformHost,
  type PerformHostOptions,
} from '../../src/queue/perform-host.ts';
import type { Rpc } from '../../src/database/rpc.ts';
import { createOutsideHttp } from '../../src/runtime/outside-http.ts';
import { noOpenAi } from './no-openai.ts';
import { silentLogger } from './silent-logger.ts';

/** A host for test jobs with ten minutes of time; `overrides` may take anything away. */
export function testHost(
  { queue, rpc, catalog }: { queue: JobQueue; rpc: Rpc; catalog: readonly JobDefinition[] },
  overrides: Partial<PerformHostOptions> = {},
): PerformHost {
  const inTenMinutes = new Date(Date.now() + 600_000);
  return createPerformHost({
    leaseSeconds: 30,
    github: () => {
      throw new Error('this test job has no GitHub');
    },
    openai: noOpenAi,
    http: createOutsideHttp(),
    log: silentLogger,
    now: () => new Date(),
    stopStepsAt: inTenMinutes,
    deadline: inTenMinutes,
    shutdown: new AbortController().signal,
    graceMs: 50,
    queue,
    rpc,
    definitionOf: indexDefinitions(catalog),
    ...overrides,
  });
}

/** A test job of one function. */
export function testJob<Payload>(
  type: string,
  payload: z.ZodType<Payload>,
  run: (ctx: JobContext<Payload>) => Promise<unknown>,
  more: { timeoutSeconds?: number; maxRetries?: number } = {},
): JobDefinition {
  return defineJob({ type, payload, run, ...more });
}

/** Enqueues one job and claims it. */
export async function claimNew(queue: JobQueue, job: NewJob, leaseSeconds = 30): Promise<ClaimedJob> {
  const [enqueued] = await queue.enqueue([job]);
  const claimed = await queue.claimOne(enqueued?.id ?? '', 'test', leaseSeconds);
  if (!claimed) throw new Error(`${job.type}: could not be claimed`);
  return claimed;
}
