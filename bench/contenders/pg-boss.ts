import type pg from 'pg';
import { PgBoss } from 'pg-boss';
import { type Contender, jobType, type Payload } from './contender.ts';

const queue = { partition: true, notify: true };
/** One job of a group at a time, over all processes. */
const groupConcurrency = 1;
const work = {
  groupConcurrency,
  batchSize: 1000,
  localConcurrency: 2,
  burstWhenBatchFull: true,
  pollingIntervalSeconds: 0.5,
};
const instance = { useListenNotify: true, max: 10 };

/** Keeps finished jobs for a week. */
export const pgBoss: Contender = {
  name: 'pg-boss',
  settings: { queue, work, instance },

  async install(connectionString) {
    const boss = await startBoss({ connectionString, supervise: false, schedule: false });
    await boss.createQueue(jobType, queue);
    await boss.stop();
  },

  async openProducer(pool) {
    const boss = await bossOn(pool);
    return {
      async enqueueMany(payloads) {
        await boss.insert(
          jobType,
          payloads.map((data) => ({ data, ...(data.key ? { group: { id: data.key } } : {}) })),
        );
      },
      async enqueueOne(payload) {
        await boss.send(jobType, payload);
      },
      async unfinished() {
        const { rows } = await pool.query<{ jobs: number }>(
          `select count(*)::integer as jobs from pgboss.job where name = $1 and state in ('created', 'retry', 'active')`,
          [jobType],
        );
        return rows[0]?.jobs ?? NaN;
      },
      async reset() {
        await boss.deleteAllJobs(jobType);
      },
      close: () => boss.stop(),
    };
  },

  async claimOne(pool) {
    const boss = await bossOn(pool);
    return async () => {
      const [job] = await boss.fetch(jobType, { batchSize: 1 });
      if (!job) throw new Error('pg-boss: expected a waiting job');
      return async () => void (await boss.complete(jobType, job.id));
    };
  },

  async startWorker(connectionString, started) {
    const boss = await startBoss({ connectionString, ...instance });
    await boss.work(jobType, work, (jobs: { data: Payload }[]) => {
      for (const { data } of jobs) started(data);
      return Promise.resolve();
    });
    return { stop: () => boss.stop() };
  },
};

function bossOn(pool: pg.Pool): Promise<PgBoss> {
  const db = { executeSql: (text: string, values?: unknown[]) => pool.query<object>(text, values) };
  return startBoss({ db, supervise: false, schedule: false });
}

async function startBoss(options: ConstructorParameters<typeof PgBoss>[0] & object): Promise<PgBoss> {
  const boss = new PgBoss(options);
  // Without a listener an error event would end the process, and its message would be lost.
  boss.on('error', (error) => console.error('pg-boss:', error));
  return await boss.start();
}
