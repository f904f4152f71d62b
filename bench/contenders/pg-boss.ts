import { PgBoss, type WorkOptions } from 'pg-boss';
import { type Contender, jobType, type Payload } from './contender.ts';

const queue = { partition: true, notify: true };
const work = {
  batchSize: 1000,
  localConcurrency: 2,
  burstWhenBatchFull: true,
  pollingIntervalSeconds: 0.5,
};
const instance = { useListenNotify: true, max: 10 };

/** Keeps finished jobs for a week. */
export const pgBoss = withWork('pg-boss', work);

/** With its limit for the jobs of one group, over all processes: it costs something even where no job has a group. */
export const pgBossWithGroups = withWork('pg-boss with groups', { ...work, groupConcurrency: 1 });

function withWork(name: string, options: WorkOptions): Contender {
  return {
    name,
    settings: { queue, work: options, instance },

    async install(connectionString) {
      const boss = await startBoss({ connectionString, supervise: false, schedule: false });
      await boss.createQueue(jobType, queue);
      await boss.stop();
    },

    async openProducer(pool) {
      const db = { executeSql: (text: string, values?: unknown[]) => pool.query<object>(text, values) };
      const boss = await startBoss({ db, supervise: false, schedule: false });
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
        async claimOne() {
          const [job] = await boss.fetch(jobType, { batchSize: 1 });
          if (!job) throw new Error('pg-boss: expected a waiting job');
          return async () => void (await boss.complete(jobType, job.id));
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

    async startWorker(connectionString, started) {
      const boss = await startBoss({ connectionString, ...instance });
      await boss.work(jobType, options, (jobs: { data: Payload }[]) => {
        for (const { data } of jobs) started(data);
        return Promise.resolve();
      });
      return { stop: () => boss.stop() };
    },
  };
}

async function startBoss(options: ConstructorParameters<typeof PgBoss>[0] & object): Promise<PgBoss> {
  const boss = new PgBoss(options);
  // Without a listener an error event would end the process, and its message would be lost.
  boss.on('error', (error) => console.error('pg-boss:', error));
  return await boss.start();
}
