import { randomUUID } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { useOperatorDesk } from './operator-desk.ts';

const desk = useOperatorDesk();

interface Page {
  jobs: { id: string; type: string; status: string; [key: string]: unknown }[];
  next: unknown;
  searched_to: string | null;
}

const list = (filter: object, more: object = {}) => desk.ask<Page>('operator_jobs', { filter, ...more });

/** The ids of all pages under a filter; `between` runs before each further page. */
async function listAll(filter: object, pageSize: number, between = async () => {}): Promise<string[]> {
  const ids: string[] = [];
  let after: unknown = null;
  do {
    const page = await list(filter, { page_size: pageSize, after });
    ids.push(...page.jobs.map(({ id }) => id));
    expect(page.jobs.length).toBeLessThanOrEqual(pageSize);
    after = page.next;
    if (after !== null) await between();
  } while (after !== null);
  return ids;
}

const newestFirst = (ids: string[]) => [...ids].sort().reverse();

describe('filters', () => {
  /** Ids by what the jobs are. */
  const ids: Record<string, string> = {};
  const repositoryId = randomUUID();

  beforeAll(async () => {
    await desk.sql('insert into repositories (id, github_id, owner, name) values ($1, 1, $2, $3)', [
      repositoryId,
      'Octo-Org',
      'hello',
    ]);
    const names = ['waiting', 'later', 'child', 'failed', 'running', 'done', 'gone', 'worker', 'single'];
    const made = await desk.enqueue(
      { type: 'sync', payload: { repository: 'octo-org/HELLO' } },
      { type: 'sync', run_at: '2100-01-01Z', payload: { note: '100% of_it' } },
      { type: 'report', depends_on: [1] },
      { type: 'sync', repository_id: repositoryId, inngest_run_id: 'run-7', inngest_event_id: 'event-7' },
      { type: 'report', payload: { repository: { owner: 'octo-org', name: 'hello' } } },
      { type: 'report', payload: { owner: 'octo-org', repo: 'other' } },
      { type: 'sync', idempotency_key: 'key-7' },
      { type: 'sync', lane: 'worker', payload: { repositoryId } },
      { type: 'ping', payload: { repository: 7 } },
    );
    names.forEach((name, n) => (ids[name] = made[n] ?? ''));
    await desk.bury(ids['failed'] ?? '', 'GitHub answered 502: Bad Gateway');
    const claim = 'select lease_token from claim_background_job($1, $2, 60)';
    await desk.sql(claim, [ids['running'], 'a worker']);
    const [held] = await desk.sql<{ lease_token: string }>(claim, [ids['done'], 'a worker']);
    const done = JSON.stringify([{ job_id: ids['done'], lease_token: held?.lease_token, result: 1 }]);
    await desk.sql('select complete_background_jobs($1)', [done]);
    await desk.sql('select cancel_background_job($1)', [ids['gone']]);
  });

  it.each<[object, string[]]>([
    [{}, ['single', 'worker', 'gone', 'done', 'running', 'failed', 'child', 'later', 'waiting']],
    [
      { status: null, text: null },
      ['single', 'worker', 'gone', 'done', 'running', 'failed', 'child', 'later', 'waiting'],
    ],
    [{ status: 'queued' }, ['single', 'worker', 'child', 'later', 'waiting']],
    [{ status: 'processing' }, ['running']],
    [{ status: ['processing', 'queued'] }, ['single', 'worker', 'running', 'child', 'later', 'waiting']],
    [{ status: 'failed' }, ['failed']],
    [{ status: ['failed', 'cancelled'] }, ['gone', 'failed']],
    [{ status: 'completed' }, ['done']],
    [{ type: 'report' }, ['done', 'running', 'child']],
    [{ type: ['ping', 'report'], status: 'queued' }, ['single', 'child']],
    [{ lane: 'worker' }, ['worker']],
    [{ lane: ['inline', 'worker'] }, ['worker']],
    [{ repository: 'Octo-org/Hello' }, ['worker', 'running', 'failed', 'waiting']],
    [{ repository: repositoryId }, ['worker', 'running', 'failed', 'waiting']],
    [{ repository: 'octo-org/other' }, ['done']],
    [{ repository: 'octo-org/hello', status: 'failed', type: 'sync' }, ['failed']],
    [{ text: 'bad gateway' }, ['failed']],
    [{ text: 'REPO' }, ['single', 'worker', 'done', 'running', 'child', 'waiting']],
    [{ text: '100% of_' }, ['later']],
    [{ text: '_it' }, ['later']],
    [{ text: 'run-7' }, ['failed']],
    [{ text: 'event-7' }, ['failed']],
    [{ text: 'key-7' }, ['gone']],
    [{ text: 'run-' }, []],
    [{ text: 'hello', lane: 'edge', type: 'report' }, ['running']],
    [{ type: 'no such type' }, []],
    [{ to: '2020-01-01Z' }, []],
    [{ from: '2100-01-01Z' }, []],
  ])('%j', async (filter, expected) => {
    const found = (await list(filter)).jobs.map(({ id }) => id);
    expect(found).toEqual(expected.map((name) => ids[name]));
    expect(await listAll(filter, 1)).toEqual(found);
  });

  it('an id finds its job alone, unless another filter rules it out', async () => {
    expect((await list({ text: ids['done'] })).jobs).toMatchObject([{ id: ids['done'] }]);
    expect((await list({ text: ids['done'], status: 'failed' })).jobs).toEqual([]);
    expect((await list({ text: randomUUID() })).jobs).toEqual([]);
  });

  it('a time includes its beginning and excludes its end', async () => {
    const [at] = await desk.sql<{ at: string }>(
      `select to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at
       from background_jobs where id = $1`,
      [ids['done']],
    );
    expect((await list({ from: at?.at })).jobs).toHaveLength(9);
    expect((await list({ to: at?.at })).jobs).toHaveLength(0);
  });

  it('a line shows what matters of a job, and neither payload nor result', async () => {
    const [job] = (await list({ status: 'failed' })).jobs;
    expect(job).toMatchObject({
      type: 'sync',
      lane: 'edge',
      repository: 'Octo-Org/hello',
      repository_id: repositoryId,
      error: 'GitHub answered 502: Bad Gateway',
      failure_reason: 'non_retryable',
      retry_count: 0,
      max_retries: 3,
      progress: null,
    });
    expect(Object.keys(job ?? {})).not.toEqual(expect.arrayContaining(['payload']));
    expect(job?.['ended_at']).toMatch(/^\d{4}-\d\d-\d\dT/);
  });

  it.each<[object, RegExp]>([
    [{ filter: { state: 'failed' } }, /^filter\.state: unknown key; expected status, type, lane/],
    [{ filter: [] }, /^filter: expected an object/],
    [{ filter: 'failed' }, /^filter: expected an object/],
    [{ filter: { status: 'broken' } }, /^filter\.status: expected one of queued, .* got "broken"/],
    [{ filter: { status: [] } }, /^filter\.status: expected one of/],
    [{ filter: { status: ['failed', 1] } }, /^filter\.status: expected one of/],
    [{ filter: { lane: 'moon' } }, /^filter\.lane: expected one of inline, edge, worker/],
    [{ filter: { type: 7 } }, /^filter\.type: expected a string/],
    [{ filter: { repository: 'hello' } }, /^filter\.repository: expected owner\/name/],
    [{ filter: { repository: ['a/b'] } }, /^filter\.repository: expected owner\/name/],
    [{ filter: { from: 'yesterday-ish' } }, /^filter\.from: expected a timestamp/],
    [{ filter: { to: 5 } }, /^filter\.to: expected a timestamp/],
    [{ filter: { text: '' } }, /^filter\.text: expected a string of 1 to 200/],
    [{ filter: { text: 'x'.repeat(201) } }, /^filter\.text: expected a string of 1 to 200/],
    [{ page_size: 0 }, /^page_size: expected 1 to 500, got 0/],
    [{ page_size: 501 }, /^page_size: expected 1 to 500, got 501/],
    [{ after: 'x' }, /^after: expected null, or the next/],
    [{ after: { id: 'x' } }, /^after: expected null, or the next/],
    [{ after: { id: randomUUID() }, filter: { status: 'failed' } }, /^after: expected null, or the next/],
  ])('%j is refused', async (args, message) => {
    const answer = await desk.call<{ code: string; message: string }>('operator_jobs', args);
    expect(answer).toMatchObject({ status: 400, body: { code: 'PT400' } });
    expect(answer.body.message).toMatch(message);
  });
});

describe('pages', () => {
  beforeEach(async () => {
    await desk.sql('delete from background_jobs');
  });

  const add = async (count: number, job: object = { type: 'a' }) =>
    await desk.enqueue(...Array.from({ length: count }, () => ({ ...job })));

  it('are complete and without repeats while jobs come in and end', async () => {
    const ids = await add(25);
    const seen = await listAll({}, 7, async () => {
      await add(3);
      await desk.sql(`select claim_background_jobs('edge', 'w', 2, 60)`);
    });
    expect(seen).toEqual(newestFirst(ids));
  });

  it('of what waits are complete for the jobs that go on waiting', async () => {
    const ids = await add(25);
    const seen = await listAll({ status: 'queued' }, 7, async () => {
      await add(3);
    });
    expect(seen).toEqual(newestFirst(ids));
  });

  it('of failed jobs begin with the one that failed last', async () => {
    const ids = await add(6);
    const order = [3, 0, 5, 1, 4, 2].map((n) => ids[n] ?? '');
    for (const id of order) await desk.bury(id);
    expect(await listAll({ status: 'failed' }, 2)).toEqual([...order].reverse());
  });

  it('of failed jobs lose and repeat none of those that failed in the same instant', async () => {
    const ids = await add(9);
    await desk.sql(
      `update background_jobs set status = 'failed', error = 'by hand', failed_at = '2026-01-01Z'`,
    );
    expect(await listAll({ status: 'failed' }, 2)).toEqual(newestFirst(ids));
  });

  it('that are full and the last say so', async () => {
    await add(4);
    expect((await list({}, { page_size: 4 })).next).toBeNull();
    expect((await list({}, { page_size: 3 })).next).not.toBeNull();
  });

  it('say how far back they looked', async () => {
    const [oldest] = await add(4);
    const { searched_to } = await list({}, { page_size: 4 });
    expect(searched_to).toBeNull();
    const page = await list({}, { page_size: 3 });
    const [last] = page.jobs.slice(-1);
    expect(last?.id).not.toBe(oldest);
    expect(page.searched_to).toBe(last?.['created_at']);
  });

  it('end when their time is up, even empty, and the next ones go on from there', async () => {
    const [rare] = await add(1, { type: 'rare' });
    await add(120);
    const find = `select f.ids, f.next
      from job_queue.find_jobs(job_queue.read_job_filter('{"type":"rare"}'), 10, $1, interval '0') as f`;
    const found: string[] = [];
    let calls = 0;
    let after: unknown = null;
    do {
      const [page] = await desk.sql<{ ids: string[]; next: unknown }>(find, [after && JSON.stringify(after)]);
      found.push(...(page?.ids ?? []));
      after = page?.next ?? null;
      calls++;
    } while (after !== null);
    expect(found).toEqual([rare]);
    // A portion of 11 jobs a call.
    expect(calls).toBe(12);
  });

  it('of a queue that is too long to be read at once come from all jobs', async () => {
    await add(5100);
    const [first] = await add(1, { type: 'b' });
    const page = await list({ status: 'queued' }, { page_size: 3 });
    expect(page.jobs[0]?.id).toBe(first);
    const seen = await listAll({ status: 'queued' }, 500);
    expect(seen).toHaveLength(5101);
    expect(new Set(seen).size).toBe(5101);
  });
});
