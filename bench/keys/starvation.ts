import { setTimeout as sleep } from 'node:timers/promises';
import type { Entrant } from '../contenders/arena.ts';
import { payloadOf } from '../contenders/contender.ts';
import { openPool } from '../contenders/pool.ts';
import { startWorkers } from '../contenders/worker.ts';
import { monotonicMs } from '../measure.ts';

const lookMs = 10;

/**
 * Enqueues `blocked` jobs of one key and, behind them, `free` ones without a key, for an idle worker.
 * @returns seconds from the commit to the start of the last free job; `longestSeconds` when they had not all started by then
 */
export async function freeJobsAfter(
  { contender, databaseUrl, producer }: Entrant,
  { blocked, free, longestSeconds }: { blocked: number; free: number; longestSeconds: number },
): Promise<number> {
  await producer.reset();
  const pool = openPool(databaseUrl, 1);
  const ours = await contender.openProducer(pool);
  const workers = await startWorkers(contender, databaseUrl, { times: true });
  await pool.query('begin');
  const payloads = Array.from({ length: blocked + free }, (_, index) => ({
    ...payloadOf(index),
    ...(index < blocked ? { key: 'one key' } : {}),
  }));
  for (let first = 0; first < payloads.length; first += 1000)
    await ours.enqueueMany(payloads.slice(first, first + 1000));
  await pool.query('commit');
  const from = monotonicMs();
  const freeStarts = (): number[] =>
    Array.from({ length: free }, (_, index) => workers.startOf(blocked + index)).filter(
      (at) => at !== undefined,
    );
  while (freeStarts().length < free && monotonicMs() < from + longestSeconds * 1000) await sleep(lookMs);
  const starts = freeStarts();
  await ours.close();
  await pool.end();
  // The rest of the key's jobs would take long and tell nothing.
  await workers.kill();
  await producer.reset();
  return starts.length < free ? longestSeconds : (Math.max(...starts) - from) / 1000;
}
