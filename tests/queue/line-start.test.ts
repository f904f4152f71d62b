import { describe, expect, it, vi } from 'vitest';
import { lease, useQueue } from './test-queue.ts';

const queue = useQueue();

/** As a claim does that had to walk far: for a second the next ones start there. */
const noteStart = (at: string): Promise<unknown> =>
  queue.sql(`select job_queue.note_line_start('edge', ${at}, clock_timestamp())`);

/** When a place was noted last, in milliseconds since 1970. */
const lastNote = async (): Promise<number> =>
  Number(await queue.value('select last_value from job_queue.edge_line_noted')) / 1_000;

describe('a claim that starts where the line was found to begin', () => {
  it('finds what stands behind that place', async () => {
    const [first] = await queue.enqueue({ type: 'a' });
    await noteStart(`(select sort_at from background_job_ready where id = '${first}')`);
    const [second] = await queue.enqueue({ type: 'a' });
    expect((await queue.claim()).map(({ id }) => id)).toEqual([first, second]);
  });

  it('passes by what stands before that place, for a second', async () => {
    const [before] = await queue.enqueue({ type: 'a', priority: 100 });
    const [behind] = await queue.enqueue({ type: 'a' });
    // In one statement: the second must not be over before the claim.
    const [row] = await queue.sql<{ claimed: string[] }>(
      `select job_queue.note_line_start('edge', now() - interval '1 minute', clock_timestamp()),
              array(select id from claim_background_jobs('edge', 'w1', 100, 60)) as claimed`,
    );
    expect(row?.claimed).toEqual([behind]);
    await queue.sql(
      `select job_queue.note_line_start('edge', now(), clock_timestamp() - interval '2 seconds')`,
    );
    expect((await queue.claim()).map(({ id }) => id)).toEqual([before]);
  });

  it('is not led by a claim that passed by jobs of other types', async () => {
    const client = await queue.connect();
    await client.query('begin');
    const many = JSON.stringify(Array.from({ length: 10_000 }, () => ({ type: 'a' })));
    await queue.sql('select count(*) from enqueue_background_jobs($1)', [many], client);
    await queue.sql(`select * from enqueue_background_jobs('[{"type": "x"}]')`, [], client);
    await queue.sql(`select job_queue.note_line_start('edge', now(), clock_timestamp() - interval '1 hour')`);
    expect(await queue.claim({ types: ['x'], maxJobs: 1 }, client)).toMatchObject([{ type: 'x' }]);
    expect(await lastNote()).toBeLessThan(Date.now() - 1_800_000);
    await queue.sql(`select * from enqueue_background_jobs('[{"type": "x"}]')`, [], client);
    expect(await queue.claim({ maxJobs: 1 }, client)).toMatchObject([{ type: 'a' }]);
  });

  it('does not heed a place noted before the clock was set back', async () => {
    await queue.sql(
      `select job_queue.note_line_start('edge', now() - interval '1 minute', clock_timestamp() + interval '1 hour')`,
    );
    const [urgent, other] = await queue.enqueue({ type: 'a', priority: 100 }, { type: 'a' });
    expect((await queue.claim()).map(({ id }) => id)).toEqual([urgent, other]);
    await noteStart('now()');
  });

  it.each([`'epoch'`, `'1960-01-01'`, `'-infinity'`])(
    'does not note %s, which needs no place',
    async (at) => {
      await noteStart('now()');
      const before = await lastNote();
      await noteStart(at);
      expect(await lastNote()).toBe(before);
    },
  );

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
    const pagesOfAClaim = async (noted: string): Promise<number> => {
      const client = await queue.connect();
      await client.query('begin');
      // In one statement: the second for which a note counts must not be over before the claim.
      const [row] = await queue.sql<{ claimed: string[] }>(
        `select job_queue.note_line_start('edge', (select max(sort_at) from background_job_ready), ${noted}),
                array(select id from claim_background_jobs('edge', 'w1', 1, 60)) as claimed`,
        [],
        client,
      );
      expect(row?.claimed).toHaveLength(1);
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
      await queue.complete(...(await queue.claim({ maxJobs: 1_000 })).map((job) => lease(job)));
    }
    await queue.enqueue({ type: 'a' });
    const fromTheFront = await pagesOfAClaim(`clock_timestamp() - interval '1 hour'`);
    expect(fromTheFront).toBeGreaterThan(64);
    // That claim left a note, which its rollback does not take back.
    expect(await lastNote()).toBeGreaterThan(Date.now() - 1_800_000);
    // A machine that stands still for a second between the note and the claim has not shown anything.
    await vi.waitFor(async () =>
      expect(await pagesOfAClaim('clock_timestamp()')).toBeLessThan(fromTheFront / 5),
    );
  });
});
