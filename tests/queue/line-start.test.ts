import { describe, expect, it } from 'vitest';
import { lease, useQueue } from './test-queue.ts';

const queue = useQueue();

/** As a claim does that had to walk far: for a second the next ones start there. */
const noteStart = (at: string): Promise<unknown> =>
  queue.sql(`select job_queue.note_line_start('edge', ${at}, clock_timestamp())`);

describe('a claim that starts where the line was found to begin', () => {
  it('finds what stands behind that place', async () => {
    const [first] = await queue.enqueue({ type: 'a' });
    await noteStart(`(select sort_at from background_job_ready where id = '${first}')`);
    const [second] = await queue.enqueue({ type: 'a' });
    expect((await queue.claim()).map(({ id }) => id)).toEqual([first, second]);
  });

  it('looks from the very front when nothing stands there', async () => {
    const [urgent] = await queue.enqueue({ type: 'a', priority: 100 });
    await noteStart('now()');
    expect((await queue.claim()).map(({ id }) => id)).toEqual([urgent]);
  });

  it('looks from the very front again after a second', async () => {
    await queue.sql(
      `select job_queue.note_line_start('edge', now() + interval '1 hour', clock_timestamp() - interval '2 seconds')`,
    );
    const [urgent, other] = await queue.enqueue({ type: 'a', priority: 100 }, { type: 'a' });
    expect((await queue.claim()).map(({ id }) => id)).toEqual([urgent, other]);
  });

  it('does not walk over the jobs that a snapshot held elsewhere keeps alive', async () => {
    const holder = await queue.connect();
    await holder.query('begin isolation level repeatable read');
    await holder.query('select count(*) from background_jobs');
    const pagesOfAClaim = async (): Promise<number> => {
      const client = await queue.connect();
      await client.query('begin');
      expect(await queue.claim({ maxJobs: 1 }, client)).toHaveLength(1);
      const pages = await queue.value<string>(
        `select pg_stat_get_xact_blocks_fetched('background_job_ready'::regclass)`,
        [],
        client,
      );
      await client.query('rollback');
      return Number(pages);
    };
    for (let n = 0; n < 12; n++) {
      await queue.enqueue(...Array.from({ length: 1_000 }, () => ({ type: 'a' })));
      await queue.complete(...(await queue.claim({ maxJobs: 1_000 })).map(lease));
    }
    await queue.enqueue({ type: 'a' });
    await queue.sql(`select job_queue.note_line_start('edge', now(), clock_timestamp() - interval '1 hour')`);
    const fromTheFront = await pagesOfAClaim();
    expect(fromTheFront).toBeGreaterThan(64);
    // That claim left a note, which its rollback does not take back.
    await queue.sql(
      `select job_queue.note_line_start('edge', sort_at, clock_timestamp() + interval '1 minute') from background_job_ready`,
    );
    expect(await pagesOfAClaim()).toBeLessThan(fromTheFront / 5);
  });
});
