import type { Page, Request } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { catalog } from '../../src/jobs/catalog.ts';
import { createJobQueue, type JobQueue } from '../../src/queue/job-queue.ts';
import { useDashboard } from '../support/dashboard.ts';

const dashboard = useDashboard();
let queue: JobQueue;

const JOBS = 100_000;

beforeAll(async () => {
  const { pool, rpc } = dashboard.database();
  queue = createJobQueue(rpc);
  await queue.syncJobTypes(catalog);
  // A history, as the queue leaves it: without the triggers that see each row as an edit by hand.
  await pool.query(
    `begin; set local session_replication_role = 'replica';
     insert into background_jobs (type, lane, status, payload, max_retries, priority, timeout_seconds, expires_at, started_at, completed_at, duration_ms)
     select 'system/ping', 'inline', 'completed', jsonb_build_object('n', n), 3, 0, 10, now() + interval '1 day', now(), now(), n % 1000
     from generate_series(1, ${JOBS}) as n;
     commit`,
  );
  await pool.query('analyze background_jobs');
});

async function cancel(id: string | undefined): Promise<void> {
  await dashboard.database().pool.query('select cancel_background_job($1)', [id]);
}

const list = (page: Page) => page.getByRole('table', { name: 'Jobs' });
const rows = (page: Page) => list(page).getByRole('row');
const calls = (page: Page, name: string): Request[] => {
  const seen: Request[] = [];
  page.on('request', (request) => {
    if (request.method() === 'POST' && request.url().endsWith(`/rpc/${name}`)) seen.push(request);
  });
  return seen;
};

/** Scrolls to the end of what is loaded until that many jobs are. */
async function loadAtLeast(page: Page, jobs: number): Promise<void> {
  await page.waitForFunction(
    (wanted) => {
      const frame = document.querySelector('[role=table][aria-label=Jobs]');
      frame?.scrollTo({ top: frame.scrollHeight });
      const [, count = '0'] = /([\d,]+) jobs/.exec(document.body.innerText) ?? [];
      return Number(count.replaceAll(',', '')) >= wanted;
    },
    jobs,
    { polling: 50 },
  );
}

test('a list of 100,000 jobs loads more as it is scrolled, and keeps few rows in the page', async () => {
  const page = await dashboard.signedIn('#/jobs');
  await rows(page).nth(5).waitFor();
  await loadAtLeast(page, 3_000);
  await list(page).evaluate((frame) => frame.scrollTo({ top: frame.scrollHeight }));
  const lastIndexShown = async () =>
    await rows(page).evaluateAll((shown) =>
      Math.max(...shown.map((row) => Number(row.getAttribute('aria-rowindex')))),
    );
  await expect.poll(lastIndexShown, { timeout: 60_000 }).toBeGreaterThan(2_900);
  expect(await rows(page).count()).toBeLessThan(80);
});

test('new jobs appear on top, and only the page in sight is asked for', async () => {
  const page = await dashboard.signedIn('#/jobs');
  const asked = calls(page, 'operator_jobs');
  await rows(page).nth(5).waitFor();
  await loadAtLeast(page, 1_000);
  await list(page).evaluate((frame) => frame.scrollTo({ top: 0 }));
  const loaded = asked.length;
  const [job] = await queue.enqueue([{ type: 'capture/pr.details', payload: { prNumber: 1 }, lane: 'edge' }]);
  await rows(page).nth(1).getByRole('link', { name: 'capture/pr.details' }).waitFor();
  const since = asked.slice(loaded).map((request) => (request.postDataJSON() as { after: unknown }).after);
  expect(since.filter((after) => after !== null)).toHaveLength(0);
  await cancel(job?.id);
  await rows(page).nth(1).getByText('cancelled').waitFor();
});

test('filters stand in the address, combine, and survive a reload', async () => {
  const [job] = await queue.enqueue([
    { type: 'update/pr.activity', payload: { note: 'needle in the haystack' }, lane: 'edge' },
  ]);
  const page = await dashboard.signedIn('#/jobs');
  await page.getByLabel('Status').selectOption('queued');
  await page.getByLabel('Type').selectOption('update/pr.activity');
  await page.getByLabel('Text').fill('needle in');
  await page.waitForURL(/text=needle/);
  await page.getByText('1 jobs, the end of the list').waitFor();
  await page.reload();
  await page.getByText('1 jobs, the end of the list').waitFor();
  expect(new URL(page.url()).hash).toBe('#/jobs?status=queued&type=update%2Fpr.activity&text=needle+in');
  await page.getByLabel('Lane').selectOption('worker');
  await page.getByText('No job matches').waitFor();
  await page.getByRole('link', { name: 'Clear' }).click();
  await rows(page).nth(5).waitFor();
  await cancel(job?.id);
});

test('a hidden page does not ask', async () => {
  const page = await dashboard.signedIn('#/jobs');
  await rows(page).nth(5).waitFor();
  const asked = calls(page, 'operator_jobs');
  const hide = async (state: 'hidden' | 'visible') =>
    await page.evaluate((value) => {
      Object.defineProperty(document, 'visibilityState', { value, configurable: true });
      window.dispatchEvent(new Event('visibilitychange'));
      document.dispatchEvent(new Event('visibilitychange'));
    }, state);
  await page.clock.install();
  await hide('hidden');
  await page.clock.runFor(60_000);
  expect(asked.length).toBeLessThanOrEqual(1);
  await hide('visible');
  await expect.poll(() => asked.length, { timeout: 60_000 }).toBeGreaterThan(1);
});
