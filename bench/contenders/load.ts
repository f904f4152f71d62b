import type pg from 'pg';
import { milliseconds } from '../measure.ts';
import { clients, type Entrant } from './arena.ts';
import { type Payload, payloadOf } from './contender.ts';
import { type Cost, costOf, drained } from './cost.ts';
import { openPool } from './pool.ts';
import type { Workers } from './worker.ts';

/** Jobs of one call. */
const perCall = 1000;

export interface BulkCost {
  enqueue: Cost;
  drain: Cost;
}

interface BulkOptions {
  payload?: (n: number) => Payload;
  /** Called when all jobs are enqueued and none has started, with a connection that sees them. */
  whenFull?: (pool: pg.Pool) => Promise<void>;
}

/**
 * Enqueues `jobs` in calls of 1,000 and lets the idle workers drain them. All become visible at one moment, with the
 * commit, so that the drain is measured from full to empty, by workers that need no start.
 */
export async function bulk(
  entrant: Entrant,
  workers: Workers,
  jobs: number,
  { payload = payloadOf, whenFull }: BulkOptions = {},
): Promise<BulkCost> {
  const { contender, databaseUrl } = entrant;
  const pool = openPool(databaseUrl, 1);
  const producer = await contender.openProducer(pool);
  workers.forget();
  await pool.query('begin');
  const enqueue = await costOf(entrant, workers, async () => {
    for (let first = 1; first <= jobs; first += perCall)
      await producer.enqueueMany(numbers(first, Math.min(jobs, first + perCall - 1)).map(payload));
  });
  // What autovacuum would do by itself within a minute. Without it, one that passes while nothing is committed notes an
  // empty table, and whoever plans by that needs minutes for the first claim: it happened to graphile-worker.
  await pool.query('analyze');
  await whenFull?.(pool);
  const drain = await costOf(entrant, workers, async () => {
    await pool.query('commit');
    await drained(entrant, workers, { jobs, sum: sumTo(jobs) });
  });
  await producer.close();
  await pool.end();
  return { enqueue, drain };
}

interface Singles {
  jobs: number;
  clients: number;
  /** Sends each in a call of its own, also where the contender's client joins them. */
  apart?: boolean;
}

/** `jobs` one by one, by so many clients of one process side by side. @returns milliseconds until the last answer */
export async function singles(
  entrant: Entrant,
  workers: Workers,
  { jobs, clients: count, apart = false }: Singles,
): Promise<number> {
  const { producer } = entrant;
  const enqueueOne = async (payload: Payload): Promise<void> => {
    if (apart && producer.enqueueOneApart) await producer.enqueueOneApart(payload);
    else await producer.enqueueOne(payload);
  };
  if (count > clients) throw new Error(`expected at most ${clients} clients`);
  workers.forget();
  let last = 0;
  const client = async (): Promise<void> => {
    while (last < jobs) await enqueueOne(payloadOf((last += 1)));
  };
  const ms = await milliseconds(() => Promise.all(Array.from({ length: count }, client)));
  await drained(entrant, workers, { jobs, sum: sumTo(jobs) });
  return ms;
}

function numbers(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

function sumTo(last: number): number {
  return (last * (last + 1)) / 2;
}

/**
 * Does what autovacuum would do by itself within a minute, so that it is not done while the next contender is measured:
 * what it writes, and the cores that it takes, would count as that one's.
 */
export async function settle({ pool }: Entrant): Promise<void> {
  await pool.query('vacuum analyze');
}
