import { randomUUID } from 'node:crypto';
import { beforeEach, expect, it } from 'vitest';
import { useOperatorDesk } from './operator-desk.ts';

const desk = useOperatorDesk();

interface JobPage {
  job: Record<string, unknown>;
  explain: string;
  worker: string | null;
  lease_until: string | null;
  attempts: Record<string, unknown>[];
  steps: Record<string, unknown>[];
  parents: Record<string, unknown>[];
  children: Record<string, unknown>[];
  github: { repository: string; url: string } | null;
}

beforeEach(async () => {
  await desk.sql('delete from background_jobs');
});

const open = (id?: string) => desk.ask<JobPage>('operator_job', { job_id: id });
const enqueueOne = async (job: Record<string, unknown>) => (await desk.enqueue(job))[0] ?? '';

async function claim(id: string): Promise<string> {
  const text = `select lease_token from claim_background_job($1, 'edge-1', 60)`;
  return (await desk.sql<{ lease_token: string }>(text, [id]))[0]?.lease_token ?? '';
}

it('a job that nobody knows is null', async () => {
  expect(await open(randomUUID())).toBeNull();
});

it('a running job shows who runs it, its steps and its progress', async () => {
  await desk.sql(`select sync_job_types('[{"type":"sync","title":"Sync a repository"}]')`);
  const id = await enqueueOne({ type: 'sync', payload: { pages: 3 }, inngest_run_id: 'run-1' });
  const token = await claim(id);
  const large = { rows: 'x'.repeat(20_000) };
  for (const [name, output] of Object.entries({ 'page 1': { rows: 100 }, 'page 2': large }))
    await desk.sql('select save_background_job_step($1, $2, $3, $4)', [
      id,
      token,
      name,
      JSON.stringify(output),
    ]);
  await desk.sql(`select report_background_job_progress($1, $2, 66, 'page 2 of 3')`, [id, token]);

  const page = await open(id);
  expect(page.job).toMatchObject({
    title: 'Sync a repository',
    status: 'processing',
    payload: { pages: 3 },
    result: null,
    progress: 66,
    progress_message: 'page 2 of 3',
    inngest_run_id: 'run-1',
  });
  expect(page.worker).toBe('edge-1');
  expect(page.lease_until).not.toBeNull();
  expect(page.explain).toMatch(/^running since .* on edge-1/);
  expect(page.steps).toMatchObject([
    { name: 'page 1', output: { rows: 100 }, output_omitted: false },
    { name: 'page 2', output: null, output_omitted: true, output_bytes: 20_012 },
  ]);
  expect(JSON.stringify(page)).not.toContain(token);
  await desk.sql('select complete_background_jobs($1)', [
    JSON.stringify([{ job_id: id, lease_token: token, result: { stored: 300 } }]),
  ]);
  expect(await open(id)).toMatchObject({
    job: { status: 'completed', result: { stored: 300 } },
    worker: null,
  });
});

it('a failed job shows every attempt with its error', async () => {
  const id = await enqueueOne({ type: 'sync', max_retries: 1 });
  for (const message of ['GitHub answered 502', 'GitHub answered 503']) {
    const error = { name: 'HttpError', message, stack: 'at fetch' };
    const token = await claim(id);
    await desk.sql('select fail_background_job($1, $2, $3, true)', [id, token, JSON.stringify(error)]);
  }
  const page = await open(id);
  expect(page.job).toMatchObject({
    status: 'failed',
    error: 'GitHub answered 503',
    failure_reason: 'retries_spent',
  });
  expect(page.explain).toBe('dead because its 1 retries are spent: GitHub answered 503');
  expect(page.attempts).toMatchObject([
    {
      number: 1,
      worker: 'edge-1',
      outcome: 'failed',
      error: { message: 'GitHub answered 502', stack: 'at fetch' },
    },
    { number: 2, worker: 'edge-1', outcome: 'failed', error: { message: 'GitHub answered 503' } },
  ]);
});

it('dependencies show both ways', async () => {
  const [first, second, last] = await desk.enqueue(
    { type: 'first' },
    { type: 'second', depends_on: [0], on_parent_failure: 'run' },
    { type: 'last', depends_on: [1] },
  );
  const page = await open(second);
  expect(page.parents).toEqual([
    { id: first, type: 'first', status: 'queued', settled: false, on_failure: 'run' },
  ]);
  expect(page.children).toEqual([
    { id: last, type: 'last', status: 'queued', settled: false, on_failure: 'cancel' },
  ]);
  expect(page.explain).toContain(`waits for job ${first} (first, queued)`);
});

it('a payload too large to look at is left out, and its size told', async () => {
  const id = await enqueueOne({ type: 'sync', payload: { text: 'x'.repeat(300_000) } });
  expect((await open(id)).job).toMatchObject({
    payload: null,
    payload_omitted: true,
    payload_bytes: 300_012,
    result: null,
  });
});

it('a callback is shown without what may be secret in its query', async () => {
  const id = await enqueueOne({ type: 'sync' });
  await desk.sql(
    `update background_jobs set callback_url = 'https://example.com/hook?key=s3cret' where id = $1`,
    [id],
  );
  const page = await open(id);
  expect(page.job['callback_url']).toBe('https://example.com/hook');
  expect(JSON.stringify(page)).not.toContain('s3cret');
});

it.each<[Record<string, unknown>, string | null]>([
  [{ repository: 'octo-org/hello' }, 'https://github.com/octo-org/hello'],
  [{ owner: 'octo-org', name: 'hello', prNumber: 7 }, 'https://github.com/octo-org/hello/pull/7'],
  [{ repository: 'octo-org/hello', pr_number: 7 }, 'https://github.com/octo-org/hello/pull/7'],
  [
    { repository: { owner: 'octo-org', name: 'hello' }, issueNumber: 9 },
    'https://github.com/octo-org/hello/issues/9',
  ],
  [{ repository: 'octo-org/hello', prNumber: '7/../../evil' }, 'https://github.com/octo-org/hello'],
  [{ repository: 'octo-org/hello"><script>' }, null],
  [{ repository: '../evil/x' }, null],
  [{ repository: ['octo-org/hello'] }, null],
  [{ days: 30 }, null],
])('%j links to %s', async (payload, url) => {
  expect((await open(await enqueueOne({ type: 'sync', payload }))).github?.url ?? null).toBe(url);
});
