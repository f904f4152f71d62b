import { catalog } from '../../src/jobs/catalog.ts';
import type { GitHub } from '../../src/github/github.ts';
import { createJobQueue, type JobRow } from '../../src/queue/job-queue.ts';
import { perform } from '../../src/queue/perform.ts';
import { createPerformHost } from '../../src/queue/perform-host.ts';
import { silentLogger } from './silent-logger.ts';
import type { TestDatabase } from './database.ts';

/** Enqueues a job of the catalog, runs one attempt of it as a worker would, and returns its row. */
export async function runJob(
  { rpc }: Pick<TestDatabase, 'rpc'>,
  github: GitHub,
  type: string,
  payload: unknown,
): Promise<JobRow> {
  const queue = createJobQueue(rpc);
  const [job] = await queue.enqueue([{ type, payload, lane: 'edge' }]);
  const claimed = await queue.claimOne(job?.id ?? '', 'test', 60);
  if (!claimed) throw new Error(`${type}: the job could not be claimed`);
  const inAMinute = new Date(Date.now() + 60_000);
  const host = createPerformHost({
    queue,
    catalog,
    leaseSeconds: 60,
    github: () => github,
    rpc,
    log: silentLogger,
    now: () => new Date(),
    stopStepsAt: inAMinute,
    deadline: inAMinute,
    shutdown: new AbortController().signal,
  });
  await perform(claimed, host);
  const row = await queue.get(claimed.id);
  if (!row) throw new Error(`${type}: the row is gone`);
  return row;
}
