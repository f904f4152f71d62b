import { createPgRpc } from '../../src/database/pg-rpc.ts';
import { createJobQueue, type JobQueue } from '../../src/queue/job-queue.ts';
import { createNodeLogger } from '../../src/runtime/node-logger.ts';
import { openDoorbell } from '../../src/worker/doorbell.ts';
import type { Contender, Payload } from './contender.ts';
import { openPool } from './pool.ts';
import { install, openProducer } from './hybrid-jobs.ts';

const batch = 2000;
/** So that one claims while the other completes. */
const claimers = 2;

/**
 * The queue's own calls, `claim` and `complete`, without the product's worker around them: what a worker for jobs that
 * do nothing could reach. Durability, fencing, history and hand edits are the same.
 */
export const hybridJobsCalls: Contender = {
  name: 'hybrid-jobs, claim and complete only',
  settings: { batch, claimers },
  install,
  openProducer,
  async startWorker(databaseUrl, started) {
    const pool = openPool(databaseUrl, claimers);
    const rpc = createPgRpc(pool, { prepare: true });
    const queue = createJobQueue(rpc);
    const worker = `bench ${process.pid}`;
    const loops = Array.from({ length: claimers }, () => startLoop(queue, worker, started));
    await rpc('report_worker', { worker, lanes: ['worker'], idle: true });
    const doorbell = openDoorbell({
      connection: { connectionString: databaseUrl },
      ring: () => loops.forEach((loop) => loop.ring()),
      log: createNodeLogger({ level: 'warn' }),
    });
    return {
      async stop() {
        await doorbell.close();
        await Promise.all(loops.map((loop) => loop.stop()));
        await rpc('remove_worker', { worker });
        await pool.end();
      },
    };
  },
};

interface Loop {
  ring(): void;
  stop(): Promise<void>;
}

/** Claims until there is nothing, then waits for the bell. */
function startLoop(queue: JobQueue, worker: string, started: (payload: Payload) => void): Loop {
  let stopped = false;
  let bell = Promise.withResolvers<void>();

  async function claimAndComplete(): Promise<number> {
    const jobs = await queue.claim({ lane: 'worker', worker, maxJobs: batch, leaseSeconds: 60 });
    for (const { payload } of jobs) started(payload as Payload);
    const ended = jobs.map(({ id, leaseToken }) => ({ jobId: id, leaseToken, result: null }));
    const accepted = await queue.complete(ended);
    if ([...accepted.values()].includes(false)) throw new Error('a completion was refused');
    return jobs.length;
  }

  async function run(): Promise<void> {
    while (!stopped) {
      bell = Promise.withResolvers();
      if ((await claimAndComplete()) === 0 && !stopped) await bell.promise;
    }
  }

  const done = run();
  return {
    ring: () => bell.resolve(),
    async stop() {
      stopped = true;
      bell.resolve();
      await done;
    },
  };
}
