import type pg from 'pg';
import { createPgRpc } from '../../src/database/pg-rpc.ts';
import { createJobQueue, type JobQueue, type NewJob } from '../../src/queue/job-queue.ts';
import { milliseconds, percentile } from '../measure.ts';

export interface QueueSize {
  /** Jobs enqueued in bulk and drained. */
  bulk: number;
  /** Jobs enqueued one by one by 16 clients. */
  single: number;
  /** Jobs enqueued on an idle queue to see how soon they are claimed. */
  pickups: number;
}

/** One round's figures; rates per second, times in milliseconds, WAL in bytes per job. */
export type QueueRound = Record<(typeof queueMetrics)[number], number>;

export const queueMetrics = [
  'bulk enqueue jobs/s',
  'drain jobs/s',
  'enqueue + drain WAL bytes/job',
  'single enqueue jobs/s, 16 clients',
  'pickup p50 ms',
  'pickup p95 ms',
] as const;

const batch = 500;
const job = (n: number): NewJob => ({
  type: 'bench/job',
  payload: {
    repository: 'octo-org/hello-hybrid',
    prNumber: n,
    reason: 'benchmark of about 110 bytes of payload',
    n,
  },
});

/** One round on an emptied queue: bulk enqueue, drain, single enqueues, idle pickups. */
export async function queueRound(pool: pg.Pool, size: QueueSize): Promise<QueueRound> {
  const queue = createJobQueue(createPgRpc(pool, { prepare: true }));
  await pool.query('truncate background_jobs cascade');
  // The trigger does so too, but not in the rounds without triggers.
  await pool.query('truncate background_job_ready, background_job_leases, background_job_slots');
  const walBefore = await walPosition(pool);
  const enqueueMs = await milliseconds(() => enqueueInBulk(queue, size.bulk));
  const drainMs = await milliseconds(() => drain(queue, size.bulk));
  const walBytes = (await walPosition(pool)) - walBefore;
  const singleMs = await milliseconds(() => enqueueSingly(queue, size.single, 16));
  await drain(queue, size.single);
  const pickups = await measurePickups(queue, size.pickups);
  return {
    'bulk enqueue jobs/s': (size.bulk / enqueueMs) * 1000,
    'drain jobs/s': (size.bulk / drainMs) * 1000,
    'enqueue + drain WAL bytes/job': walBytes / size.bulk,
    'single enqueue jobs/s, 16 clients': (size.single / singleMs) * 1000,
    'pickup p50 ms': percentile(pickups, 0.5),
    'pickup p95 ms': percentile(pickups, 0.95),
  };
}

async function walPosition(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ bytes: string }>(
    `select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::text as bytes`,
  );
  return Number(rows[0]?.bytes);
}

async function enqueueInBulk(queue: JobQueue, jobs: number): Promise<void> {
  for (let done = 0; done < jobs; done += 1000)
    await queue.enqueue(Array.from({ length: Math.min(1000, jobs - done) }, (_, n) => job(done + n)));
}

/** Two claimers, so that one claims while the other completes. Fails when a job is missing or comes twice. */
async function drain(queue: JobQueue, expected: number): Promise<void> {
  const seen = new Set<string>();
  const claimer = async (worker: string): Promise<void> => {
    for (;;) {
      const jobs = await queue.claim({ lane: 'edge', worker, maxJobs: batch, leaseSeconds: 60 });
      if (jobs.length === 0) return;
      for (const { id } of jobs) seen.add(id);
      const results = jobs.map(({ id, leaseToken }) => ({ jobId: id, leaseToken, result: { ok: true } }));
      const accepted = await queue.complete(results);
      if ([...accepted.values()].includes(false)) throw new Error('drain: a completion was refused');
    }
  };
  await Promise.all([claimer('bench 1'), claimer('bench 2')]);
  if (seen.size !== expected) throw new Error(`drain: expected ${expected} jobs, got ${seen.size}`);
}

async function enqueueSingly(queue: JobQueue, jobs: number, clients: number): Promise<void> {
  let next = 0;
  const client = async (): Promise<void> => {
    while (next < jobs) await queue.enqueue([job((next += 1))]);
  };
  await Promise.all(Array.from({ length: clients }, client));
  // Clients that passed the check together may each have added one more.
  const extra = next - jobs;
  if (extra > 0) throw new Error(`single enqueue: ${extra} jobs too many`);
}

/** From the moment before an enqueue to the moment when a claimer, which asks without a pause, holds the job. */
async function measurePickups(queue: JobQueue, pickups: number): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < pickups; n += 1) {
    const start = performance.now();
    const claimed = claimNext(queue);
    await queue.enqueue([job(n)]);
    const { id, leaseToken } = await claimed;
    times.push(performance.now() - start);
    await queue.complete([{ jobId: id, leaseToken, result: null }]);
  }
  return times;
}

async function claimNext(queue: JobQueue): Promise<{ id: string; leaseToken: string }> {
  for (;;) {
    const [job] = await queue.claim({ lane: 'edge', worker: 'bench', maxJobs: 1, leaseSeconds: 60 });
    if (job) return job;
  }
}
