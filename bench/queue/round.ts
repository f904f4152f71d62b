import type { Metric, Round } from '../comparison.ts';
import type { Entrant } from '../contenders/arena.ts';
import { bulk, settle, singles } from '../contenders/load.ts';
import { startWorkers } from '../contenders/worker.ts';

export interface QueueSize {
  /** Jobs enqueued in bulk and drained. */
  bulk: number;
  /** Jobs enqueued one by one by 16 clients; one client sends a quarter of it. */
  single: number;
  /** Jobs that a worker drains before it is measured. */
  warmUp: number;
}

export const drain = 'drain';
export const drainByFour = 'drain by 4 workers';
export const single = 'single enqueue by 16 clients, a worker running';
export const singleApart = 'the same, a call for each job';
export const wal = 'WAL of a job, enqueue and drain';

const rate = { unit: 'jobs/s', better: 'more', digits: 0 } as const;
const perJob = { better: 'less', digits: 0 } as const;

export const queueMetrics: Metric[] = [
  { name: drain, ...rate },
  { name: drainByFour, ...rate },
  { name: 'bulk enqueue', ...rate },
  { name: 'single enqueue by 1 client, a worker running', ...rate },
  { name: single, ...rate },
  { name: singleApart, ...rate },
  { name: wal, unit: 'bytes', ...perJob },
  { name: 'WAL of a job, enqueue', unit: 'bytes', ...perJob },
  { name: 'WAL of a job, drain', unit: 'bytes', ...perJob },
  { name: 'CPU of a job, bulk enqueue, client', unit: 'µs', ...perJob },
  { name: 'CPU of a job, bulk enqueue, Postgres', unit: 'µs', ...perJob },
  { name: 'CPU of a job, drain, worker', unit: 'µs', ...perJob },
  { name: 'CPU of a job, drain, Postgres', unit: 'µs', ...perJob },
];

/** One contender's round, on an emptied queue: bulk enqueue and drain, singles, and a drain by four workers. */
export async function queueRound(
  entrant: Entrant,
  size: QueueSize,
  { onlyDrain }: { onlyDrain: boolean },
): Promise<Round> {
  await entrant.producer.reset();
  await entrant.pool.query('checkpoint');
  const one = await withOneWorker(entrant, size, onlyDrain);
  const workers = await startWorkers(entrant.contender, entrant.databaseUrl, { count: 4 });
  await bulk(entrant, workers, size.warmUp);
  const { drain: byFour } = await bulk(entrant, workers, size.bulk);
  await workers.stop();
  await settle(entrant);
  return { ...one, [drainByFour]: perSecond(size.bulk, byFour.ms) };
}

async function withOneWorker(entrant: Entrant, size: QueueSize, onlyDrain: boolean): Promise<Round> {
  const workers = await startWorkers(entrant.contender, entrant.databaseUrl);
  await bulk(entrant, workers, size.warmUp);
  const cost = await bulk(entrant, workers, size.bulk);
  const each = (value: number): number => value / size.bulk;
  const figures: Round = {
    [drain]: perSecond(size.bulk, cost.drain.ms),
    'WAL of a job, drain': each(cost.drain.walBytes),
    'CPU of a job, drain, worker': each(cost.drain.workerCpuMs) * 1000,
    'CPU of a job, drain, Postgres': each(cost.drain.postgresCpuMs) * 1000,
  };
  if (!onlyDrain) {
    const few = Math.ceil(size.single / 4);
    const one = await singles(entrant, workers, { jobs: few, clients: 1 });
    const many = { jobs: size.single, clients: 16 };
    const apart = await singles(entrant, workers, { ...many, apart: true });
    const joined = entrant.producer.enqueueOneApart ? await singles(entrant, workers, many) : apart;
    Object.assign(figures, {
      'bulk enqueue': perSecond(size.bulk, cost.enqueue.ms),
      [wal]: each(cost.enqueue.walBytes + cost.drain.walBytes),
      'WAL of a job, enqueue': each(cost.enqueue.walBytes),
      'CPU of a job, bulk enqueue, client': each(cost.enqueue.clientCpuMs) * 1000,
      'CPU of a job, bulk enqueue, Postgres': each(cost.enqueue.postgresCpuMs) * 1000,
      'single enqueue by 1 client, a worker running': perSecond(few, one),
      [single]: perSecond(size.single, joined),
      [singleApart]: perSecond(size.single, apart),
    });
  }
  await workers.stop();
  return figures;
}

function perSecond(jobs: number, ms: number): number {
  return (jobs / ms) * 1000;
}
