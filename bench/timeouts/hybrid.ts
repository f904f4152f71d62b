import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { createPgRpc } from '../../src/database/pg-rpc.ts';
import { createJobQueue } from '../../src/queue/job-queue.ts';
import { wakeMissing } from '../../src/queue/wake-missing.ts';
import { createWake } from '../../src/router/wake.ts';
import { createNodeLogger } from '../../src/runtime/node-logger.ts';
import { type EdgeHost, startEdgeHost } from '../edge/host.ts';
import { typeOf } from './catalog.ts';
import type { Survival } from './everything-inline.ts';
import { type HybridFront, startHybridFront } from './inngest.ts';
import { forEachOf } from './side-by-side.ts';
import { edgeWallSeconds, millisecondsPerSecond, type Work } from './workload.ts';

/** As pg_cron sweeps every ten seconds of real life. */
const sweepMs = 10 * millisecondsPerSecond;

/** Our router, and behind it the edge lane, each under the limits of its host. */
export interface Hybrid {
  run(works: readonly Work[], sideBySide: number): Promise<Survival>;
  close(): Promise<void>;
}

export async function startHybrid(databaseUrl: string, pool: pg.Pool, processes: number): Promise<Hybrid> {
  const edge = await startEdgeHost({
    databaseUrl,
    entryFile: 'bench/timeouts/edge-process.ts',
    wallSeconds: (edgeWallSeconds * millisecondsPerSecond) / 1000,
    env: { EDGE_CONCURRENCY: '100', EDGE_LEASE_SECONDS: '3', LOG_LEVEL: 'error' },
  });
  await edge.boot();
  const front = await startHybridFront(edge.target, processes);
  return {
    run: (works, sideBySide) => run(works, sideBySide, pool, edge, front),
    async close() {
      await front.close();
      await edge.close();
    },
  };
}

async function run(
  works: readonly Work[],
  sideBySide: number,
  pool: pg.Pool,
  edge: EdgeHost,
  { host, inngest }: HybridFront,
): Promise<Survival> {
  await pool.query('delete from background_jobs');
  const killedBefore = host.killed();
  const done = new AbortController();
  const sweeping = sweepUntil(done.signal, pool, edge);
  await forEachOf(works, sideBySide, async ({ kind, steps, stepMs }) => {
    await inngest.send({ name: typeOf[kind], data: { steps, stepMs } });
  });
  await allEnded(pool);
  done.abort();
  await sweeping;
  const killed = host.killed() - killedBefore;
  return { finished: await countCompleted(pool), killed: killed + (await countRescued(pool)) };
}

/** What pg_cron does on Supabase: rescues what was killed, and wakes the edge lane where work is left. */
async function sweepUntil(done: AbortSignal, pool: pg.Pool, edge: EdgeHost): Promise<void> {
  const queue = createJobQueue(createPgRpc(pool));
  const { supabaseUrl, secretKey: key } = edge.target;
  const url = `${supabaseUrl}/functions/v1/process-job`;
  // A wake that fails is made up for by the next sweep.
  const wake = createWake({ fetch, url, key, log: createNodeLogger({ level: 'error' }) });
  while (!done.aborted) {
    await queue.sweep();
    await wakeMissing({ queue, wake });
    await sleep(sweepMs);
  }
}

async function allEnded(pool: pg.Pool): Promise<void> {
  for (;;) {
    const { rows } = await pool.query(
      `select 1 from background_jobs where status in ('queued', 'processing') limit 1`,
    );
    if (rows.length === 0) return;
    await sleep(sweepMs);
  }
}

async function countCompleted(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    `select count(*)::integer as count from background_jobs
     where type = any ($1) and status = 'completed'`,
    [Object.values(typeOf)],
  );
  return rows[0]?.count ?? 0;
}

/** Attempts whose process was gone before it had written how they ended. */
async function countRescued(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    `select count(*)::integer as count from background_job_attempts where outcome = 'rescued'`,
  );
  return rows[0]?.count ?? 0;
}
