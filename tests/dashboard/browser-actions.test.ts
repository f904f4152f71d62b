import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { createJobQueue, type JobQueue } from '../../src/queue/job-queue.ts';
import { catalog } from '../../src/jobs/catalog.ts';
import { useDashboard } from '../support/dashboard.ts';

const dashboard = useDashboard();
let queue: JobQueue;

beforeAll(async () => {
  queue = createJobQueue(dashboard.database().rpc);
  await queue.syncJobTypes(catalog);
  await queue.syncPayloadSchemas(catalog);
});

async function sql<Row>(text: string, values: unknown[] = []): Promise<Row[]> {
  return (await dashboard.database().pool.query(text, values)).rows as Row[];
}

async function enqueue(type = 'system/ping', more: object = {}): Promise<string> {
  const [job] = await queue.enqueue([{ type, payload: {}, lane: 'edge', ...more }]);
  return job?.id ?? '';
}

async function leased(id: string): Promise<string> {
  const text = `select lease_token as token from claim_background_job($1, 'test', 600)`;
  const [held] = await sql<{ token: string }>(text, [id]);
  return held?.token ?? '';
}

async function fail(id: string, message: string): Promise<void> {
  const error = JSON.stringify({ name: 'Error', message });
  await sql('select fail_background_job($1, $2, $3, false)', [id, await leased(id), error]);
}

const statusOf = async (id: string) =>
  (await sql<{ status: string }>('select status from background_jobs where id = $1', [id]))[0]?.status;
const lastAction = async () =>
  (
    await sql<{ email: string; action: string; arguments: unknown; result: unknown }>(
      'select email, action, arguments, result from operator_actions order by at desc, id desc limit 1',
    )
  )[0];

/** Presses the button, then the one of the dialog that asks. */
async function act(page: Page, button: string, dialog: string, confirm: string): Promise<void> {
  await page.getByRole('button', { name: button, exact: true }).click();
  await page
    .getByRole('dialog', { name: dialog })
    .getByRole('button', { name: confirm, exact: true })
    .click();
}

async function says(page: Page, text: string): Promise<void> {
  await page.getByRole('status').filter({ hasText: text }).waitFor();
}

describe('on the page of a job', () => {
  test('retry queues a failed job again, and the page follows', async () => {
    const id = await enqueue();
    await fail(id, 'no luck');
    const page = await dashboard.signedIn(`#/jobs/${id}`);
    await page.getByText('Error: no luck').waitFor();
    await act(page, 'Retry', 'Run this job again?', 'Retry');
    await says(page, 'The job is queued again.');
    await page.getByRole('button', { name: 'Cancel', exact: true }).waitFor();
    expect(await statusOf(id)).toBe('queued');
    expect(await lastAction()).toMatchObject({
      email: 'operator@localhost',
      action: 'retry_job',
      result: true,
    });
  });

  test('cancel asks first: “Not now” leaves the job alone, the other button ends it with its reason', async () => {
    const id = await enqueue();
    const page = await dashboard.signedIn(`#/jobs/${id}`);
    await act(page, 'Cancel', 'Cancel this job?', 'Not now');
    expect(await statusOf(id)).toBe('queued');
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByLabel('Reason').fill('a duplicate');
    await page.getByRole('button', { name: 'Cancel the job' }).click();
    await says(page, 'The job is cancelled.');
    expect(await statusOf(id)).toBe('cancelled');
    expect(await lastAction()).toMatchObject({ arguments: { job_id: id, reason: 'a duplicate' } });
  });

  test('what happens to the job shows without a reload', async () => {
    const id = await enqueue();
    const page = await dashboard.signedIn(`#/jobs/${id}`);
    await page.getByText('queued', { exact: true }).first().waitFor();
    const token = await leased(id);
    await sql('select report_background_job_progress($1, $2, 40, $3)', [id, token, 'page 4']);
    await page.getByText('40 % page 4').waitFor();
    const result = JSON.stringify([{ job_id: id, lease_token: token, result: { stored: 12 } }]);
    await sql('select complete_background_jobs($1)', [result]);
    await page.getByRole('region', { name: 'Result as JSON' }).getByText('"stored": 12').waitFor();
  });
});

test('redrive and discard act on the failed jobs of the list’s type, as many as asked for', async () => {
  const type = 'system/jobs.cancel';
  const ids = [await enqueue(type), await enqueue(type), await enqueue(type)];
  for (const id of ids) await fail(id, 'no luck');
  const other = await enqueue();
  await fail(other, 'no luck either');
  const page = await dashboard.signedIn(`#/jobs?status=failed&type=${encodeURIComponent(type)}`);
  await page.getByRole('button', { name: 'Redrive' }).click();
  await page.getByLabel('At most').fill('1');
  await page.getByRole('dialog').getByRole('button', { name: 'Redrive' }).click();
  await says(page, '1 jobs are queued again.');
  await act(page, 'Discard', `Give up failed jobs of type ${type}?`, 'Discard');
  await says(page, '2 jobs are cancelled.');
  await page.getByText('No job matches').waitFor();
  expect(await Promise.all([...ids, other].map(statusOf))).toEqual([
    'queued',
    'cancelled',
    'cancelled',
    'failed',
  ]);
});

test('a type is paused, resumed, moved to another lane and back', async () => {
  const type = 'capture/pr.details';
  const page = await dashboard.signedIn('#/types');
  const typeRow = page.getByRole('row').filter({ has: page.getByRole('link', { name: type, exact: true }) });
  await act(page, `Pause ${type}`, `Pause ${type}?`, 'Pause');
  await typeRow.getByText('paused').waitFor();
  await act(page, `Resume ${type}`, `Resume ${type}?`, 'Resume');
  await typeRow.getByText('runs').waitFor();
  await page.getByRole('button', { name: `Move ${type} to another lane` }).click();
  await page.getByRole('dialog').getByLabel('Lane').selectOption('worker');
  await page.getByRole('dialog').getByRole('button', { name: 'Move' }).click();
  await typeRow.getByText('worker, moved').waitFor();
  await page.getByRole('button', { name: `Move ${type} to another lane` }).click();
  await page.getByRole('dialog').getByLabel('Lane').selectOption({ label: 'inline, as defined' });
  await page.getByRole('dialog').getByRole('button', { name: 'Move' }).click();
  await typeRow.getByText('inline', { exact: true }).waitFor();
  await page.goto(`${dashboard.host().url}#/audit`);
  await page.getByRole('cell', { name: 'pause type' }).waitFor();
  expect(await page.getByRole('cell', { name: 'set lane' }).count()).toBe(2);
});

describe('a new job', () => {
  test('is made by a form of its payload’s fields, which says what is wrong before anything is sent', async () => {
    const page = await dashboard.signedIn('#/enqueue?type=repo%2Fanalyze.requested');
    await page.getByLabel('jobId').fill('job 1');
    await page.getByLabel('userId').fill('user 1');
    await page.getByLabel('maxCommits').fill('many');
    await page.getByRole('button', { name: 'Enqueue…' }).click();
    await page.getByText('Nothing is enqueued yet: repoId, maxCommits').waitFor();
    await page.getByText('Expected a whole number').waitFor();
    await page.getByLabel('repoId').fill('repository 1');
    await page.getByLabel('maxCommits').fill('50');
    await page.getByLabel('Priority').fill('5');
    await act(page, 'Enqueue…', 'Enqueue repo/analyze.requested?', 'Enqueue');
    await page.getByRole('heading', { level: 1, name: 'repo/analyze.requested' }).waitFor();
    const [row] = await sql(
      `select payload, priority from background_jobs where type = 'repo/analyze.requested'`,
    );
    const payload = { jobId: 'job 1', userId: 'user 1', repoId: 'repository 1', maxCommits: 50 };
    expect(row).toEqual({ payload, priority: 5 });
  });

  test('can be written as JSON; a refusal of the database stays in the dialog', async () => {
    const page = await dashboard.signedIn('#/enqueue?type=system%2Fping');
    await page.getByLabel('Payload').fill('{"hello": ');
    await page.getByRole('button', { name: 'Enqueue…' }).click();
    await page.getByText('Expected JSON').waitFor();
    await page.getByLabel('Payload').fill('{"hello": "world"}');
    await page.getByLabel('Idempotency key').fill('k'.repeat(1001));
    dashboard.expectComplaint(/status of 400/);
    await act(page, 'Enqueue…', 'Enqueue system/ping?', 'Enqueue');
    await page.getByRole('dialog').getByRole('alert').getByText('idempotency_key').waitFor();
  });
});

test('a schedule is set, paused, resumed and removed', async () => {
  const page = await dashboard.signedIn('#/schedules');
  await page.getByText('Nothing is scheduled here').waitFor();
  await page.getByRole('button', { name: 'Set a schedule' }).click();
  await page.getByLabel('Name').fill('morning ping');
  await page.getByLabel('Type').selectOption('system/ping');
  await page.getByLabel('Cron expression').fill('0 7 * * *');
  await page.getByRole('dialog').getByRole('button', { name: 'Set' }).click();
  await page.getByRole('cell', { name: '0 7 * * * UTC' }).waitFor();
  const name = 'the schedule morning ping';
  await act(page, `Pause ${name}`, `Pause ${name}?`, 'Pause');
  await page.getByRole('cell', { name: 'paused' }).waitFor();
  await act(page, `Resume ${name}`, `Resume ${name}?`, 'Resume');
  await page.getByRole('cell', { name: 'on', exact: true }).waitFor();
  await act(page, `Remove ${name}`, `Remove ${name}?`, 'Remove');
  await page.getByText('Nothing is scheduled here').waitFor();
});
