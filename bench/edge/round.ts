import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Metric, Round } from '../comparison.ts';
import { processCpuMs } from '../cpu.ts';
import type { EdgeHost } from './host.ts';

/** The host's soft limit of CPU time, in milliseconds, over the life of an isolate. */
const cpuLimitMs = 1_000;
const lookMs = 50;

export const cpuOfJob = 'CPU of a no-op job';
export const coldStart = 'cold start, spawn to first claim';
export const peakMemory = 'peak memory';

export const edgeMetrics: Metric[] = [
  { name: cpuOfJob, unit: 'ms', better: 'less', digits: 3 },
  { name: coldStart, unit: 'ms', better: 'less', digits: 0 },
  { name: 'CPU of the start, until the first claim is answered', unit: 'ms', better: 'less', digits: 0 },
  { name: peakMemory, unit: 'MB', better: 'less', digits: 0 },
  {
    name: 'jobs of an isolate within 1 s of CPU, its start included',
    unit: 'jobs',
    better: 'more',
    digits: 0,
  },
  { name: 'drain by one isolate', unit: 'jobs/s', better: 'more', digits: 0 },
];

/** A fresh isolate is started by a wake call and drains `jobs` no-op jobs. */
export async function edgeRound(host: EdgeHost, pool: pg.Pool, jobs: number): Promise<Round> {
  await enqueueNoOps(pool, jobs);
  const runtime = await host.boot();
  await host.wake();
  const [isolate] = runtime.isolates();
  if (!isolate) throw new Error('expected a running isolate');
  const startCpuMs = await processCpuMs(isolate.pid);
  await drained(pool);
  const cpuMs = (await processCpuMs(isolate.pid)) - startCpuMs;
  const { first, seconds } = await times(pool, jobs);
  const perJob = cpuMs / jobs;
  return {
    [cpuOfJob]: perJob,
    [coldStart]: first - isolate.startedAt,
    'CPU of the start, until the first claim is answered': startCpuMs,
    [peakMemory]: await peakMegabytes(isolate.pid),
    'jobs of an isolate within 1 s of CPU, its start included': (cpuLimitMs - startCpuMs) / perJob,
    'drain by one isolate': jobs / seconds,
  };
}

async function enqueueNoOps(pool: pg.Pool, jobs: number): Promise<void> {
  await pool.query('delete from background_jobs');
  await pool.query(
    `select count(*) from enqueue_background_jobs((
       select jsonb_agg(jsonb_build_object('type', 'system/ping', 'lane', 'edge', 'payload', jsonb_build_object('n', n)))
       from generate_series(1, $1::integer) as n))`,
    [jobs],
  );
  await pool.query('vacuum analyze background_jobs');
}

async function drained(pool: pg.Pool): Promise<void> {
  for (;;) {
    const { rows } = await pool.query(
      `select 1 from background_jobs where status in ('queued', 'processing') limit 1`,
    );
    if (rows.length === 0) return;
    await sleep(lookMs);
  }
}

/** When the first job was claimed, as epoch milliseconds, and how long the drain took from there. */
async function times(pool: pg.Pool, jobs: number): Promise<{ first: number; seconds: number }> {
  const { rows } = await pool.query<{ completed: number; first: number; seconds: number }>(
    `select count(*) filter (where status = 'completed')::integer as completed,
            extract(epoch from min(started_at))::double precision * 1000 as first,
            extract(epoch from max(completed_at) - min(started_at))::double precision as seconds
     from background_jobs where type = 'system/ping'`,
  );
  const [found] = rows;
  if (found?.completed !== jobs) throw new Error(`expected ${jobs} completed jobs, got ${found?.completed}`);
  return found;
}

/** Largest resident memory of a process since its start. */
async function peakMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}
