import type { Entrant } from '../contenders/arena.ts';
import type { Payload } from '../contenders/contender.ts';
import { bulk } from '../contenders/load.ts';
import { startWorkers } from '../contenders/worker.ts';

/**
 * Drains keyed jobs with four workers and looks at the rows all the while: what is processing, by key.
 * @returns the most that one key had at a time
 */
export async function mostOfOneKey(
  entrant: Entrant,
  { jobs, payload }: { jobs: number; payload: (n: number) => Payload },
): Promise<number> {
  const { contender, databaseUrl, pool, producer } = entrant;
  await producer.reset();
  const workers = await startWorkers(contender, databaseUrl, { count: 4 });
  let most = 0;
  let watching = true;
  async function watch(): Promise<void> {
    while (watching) {
      // One statement, one snapshot: what it sees was true at one moment.
      const { rows } = await pool.query<{ jobs: number }>(
        `select count(*)::integer as jobs from background_jobs
         where status = 'processing' and concurrency_key is not null
         group by concurrency_key order by 1 desc limit 1`,
      );
      most = Math.max(most, rows[0]?.jobs ?? 0);
    }
  }
  const watcher = watch();
  await bulk(entrant, workers, jobs, { payload });
  watching = false;
  await watcher;
  await workers.stop();
  return most;
}
