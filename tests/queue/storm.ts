import pg from 'pg';
import { expect } from 'vitest';
import { type Random, randomFor } from '../../src/local/stand-in/random.ts';
import { pause } from '../../src/queue/alarm.ts';
import { expectSoundQueue, type TestDatabase } from '../support/database.ts';
import { expectCleanLedger, openLedger } from './storm-ledger.ts';
import type { Claimed } from './test-queue.ts';

/** Every seed is another storm. `STORM_SEED=… npx vitest run tests/queue/storm` repeats its decisions, not its interleaving. */
export const stormSeed = Number(process.env.STORM_SEED ?? Math.floor(Math.random() * 1e6));

const claimers = 8;

/** Crashes spend retries: a storm job has enough of them to meet its fate all the same. */
export const manyRetries = { max_retries: 1000 };

export interface StormPayload {
  /** How the job ends when an attempt gets so far. Default: it completes. */
  fate?: 'fail';
  /** Enqueued together with its completion. */
  followUps?: Record<string, unknown>[];
}

/** A completion, as `complete_background_jobs` takes it. */
interface Ended {
  job_id: string;
  lease_token: string;
  result: string;
  enqueue: Record<string, unknown>[];
}

/** What a storm needs beside claimers: it goes on until all of it has ended, and nothing waits or runs any more. */
export type Producer = (random: Random) => Promise<void>;

export interface StormReport {
  /** Attempts that vanished in the middle, with their process or their connection. */
  crashes: number;
  /** Outcomes that came after the lease: each of them has to be refused. */
  late: number;
}

/**
 * Eight claimers, each on a connection of its own, work until every job has ended, while their processes vanish, their
 * connections are cut, and some of them wake up after their lease has gone to somebody else. Then it looks at the
 * ledger: every limit held, every job has one end, nothing was accepted twice.
 */
export async function weather(database: TestDatabase, produce: readonly Producer[]): Promise<StormReport> {
  await openLedger(database.pool);
  const storm = new Storm(database);
  const producing = Promise.all(produce.map((producer, n) => producer(randomFor(stormSeed, 'producer', n))));
  await Promise.all([
    storm.watch(producing),
    storm.sweep(),
    storm.cutConnections(randomFor(stormSeed, 'cuts')),
    ...Array.from({ length: claimers }, (_, n) => storm.work(randomFor(stormSeed, 'claimer', n))),
  ]);
  await expectCleanLedger(database.pool);
  await storm.expectNothingTwice();
  await expectSoundQueue(database.pool);
  return storm.report;
}

class Storm {
  readonly report: StormReport = { crashes: 0, late: 0 };
  private readonly database: TestDatabase;
  private readonly over = new AbortController();
  /** By job id, how often a claimer was told that its completion or failure was accepted. */
  private readonly accepted = new Map<string, number>();

  constructor(database: TestDatabase) {
    this.database = database;
  }

  /** The storm is over when everything was produced and has ended; or at the first error of any part. */
  async watch(producing: Promise<unknown>): Promise<void> {
    await this.untilOver(async () => {
      await producing;
      const { rows } = await this.database.pool.query(
        `select from background_jobs where status in ('queued', 'processing') limit 1`,
      );
      if (rows.length === 0) this.over.abort();
      await pause(50, this.over.signal);
    });
  }

  /** Rescues what crashed; and an operator who has no patience with backoffs. */
  async sweep(): Promise<void> {
    await this.untilOver(async () => {
      await this.database.pool.query('select * from sweep_background_jobs()');
      await this.database.pool.query(
        `update background_jobs set run_at = now() where id in (
           select id from background_jobs where status = 'queued' and run_at > now() order by id for update skip locked)`,
      );
      await pause(100, this.over.signal);
    });
  }

  async cutConnections(random: Random): Promise<void> {
    await this.untilOver(async () => {
      await pause(random.integer(100, 400), this.over.signal);
      await this.database.pool.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where application_name = $1 and datname = current_database()`,
        [`storm ${random.integer(0, claimers - 1)}`],
      );
    });
  }

  /** One claimer after the other in the same place: each ends with its connection. */
  async work(random: Random): Promise<void> {
    await this.untilOver(async () => {
      const client = new pg.Client({
        connectionString: this.database.url,
        application_name: `storm ${random.integer(0, claimers - 1)}`,
      });
      client.on('error', () => {});
      try {
        await client.connect();
        await this.claimUntilGone(client, random);
      } catch (error) {
        if (!isCut(error)) throw error;
        this.report.crashes += 1;
      } finally {
        await client.end().catch(() => {});
      }
    });
  }

  private async claimUntilGone(client: pg.Client, random: Random): Promise<void> {
    while (!this.over.signal.aborted) {
      const { rows: jobs } = await client.query<Claimed>(
        `select * from claim_background_jobs('edge', 'storm', $1, $2)`,
        [random.integer(1, 12), random.integer(1, 2)],
      );
      if (jobs.length === 0) await pause(40, this.over.signal);
      else if (random.chance(0.015)) {
        this.report.crashes += 1;
        return;
      } else if (random.chance(0.005)) await this.comeLate(client, jobs);
      else await this.end(client, jobs);
    }
  }

  /** @returns the ids of the jobs whose outcome was accepted */
  private async end(client: pg.Client, jobs: readonly Claimed[]): Promise<string[]> {
    const accepted: string[] = [];
    const fails = ({ payload }: Claimed) => (payload as StormPayload).fate === 'fail';
    for (const { id, lease_token: token } of jobs.filter(fails)) {
      const { rows } = await client.query<{ status: string | null }>(
        `select fail_background_job($1, $2, '{"message": "its fate"}', false) as status`,
        [id, token],
      );
      if (rows[0]?.status) accepted.push(id);
    }
    const results = jobs
      .filter((job) => !fails(job))
      .map(({ id, lease_token, payload }) => ({
        job_id: id,
        lease_token,
        result: id,
        enqueue: (payload as StormPayload).followUps ?? [],
      }));
    accepted.push(...(await this.complete(client, results)));
    for (const id of accepted) this.accepted.set(id, (this.accepted.get(id) ?? 0) + 1);
    return accepted;
  }

  /** Through either function, as a process does. */
  private async complete(client: pg.Client, results: readonly Ended[]): Promise<string[]> {
    const [first] = results;
    if (first && results.every(({ enqueue }) => enqueue.length === 0)) {
      const ids = results.map((one) => one.job_id);
      const { rows } = await client.query<{ refused: string[] }>(
        'select complete_job_batch($1, $2, $3) as refused',
        [first.lease_token, ids, ids.length % 2 === 0 ? null : JSON.stringify(ids)],
      );
      return ids.filter((id) => !rows[0]?.refused.includes(id));
    }
    const { rows } = await client.query<{ job_id: string; accepted: boolean }>(
      'select * from complete_background_jobs($1)',
      [JSON.stringify(results)],
    );
    return rows.filter((row) => row.accepted).map((row) => row.job_id);
  }

  /** A process that slept through its lease: its outcomes must not count any more. */
  private async comeLate(client: pg.Client, jobs: readonly Claimed[]): Promise<void> {
    const held = `select from background_jobs where lease_token = $1 and status = 'processing' limit 1`;
    while ((await client.query(held, [jobs[0]?.lease_token])).rows.length > 0) await pause(50);
    expect(await this.end(client, jobs)).toEqual([]);
    this.report.late += jobs.length;
  }

  /** What was accepted was so once, and is what the row says; follow-ups came with the completion, and once. */
  async expectNothingTwice(): Promise<void> {
    expect([...this.accepted].filter(([, times]) => times > 1)).toEqual([]);
    const { rows } = await this.database.pool.query(
      `select id, status from background_jobs
       where id = any ($1) and status not in ('completed', 'failed')`,
      [[...this.accepted.keys()]],
    );
    expect(rows).toEqual([]);
  }

  /** Repeats until the storm is over. An error ends the storm, so that the test does not wait for its time to be up. */
  private async untilOver(turn: () => Promise<void>): Promise<void> {
    try {
      while (!this.over.signal.aborted) await turn();
    } catch (error) {
      this.over.abort();
      throw error;
    }
  }
}

/** A cut connection is part of the storm; any other error is a finding. */
export function isCut(error: unknown): boolean {
  return (
    error instanceof Error && /terminat|not queryable|ECONNRESET|EPIPE|ended|closed/i.test(error.message)
  );
}
