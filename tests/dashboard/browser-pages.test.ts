import { createRequire } from 'node:module';
import type axeCore from 'axe-core';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { fillWithDemoData, type DemoJobs } from '../../dashboard/screenshots/demo-data.ts';
import { useDashboard } from '../support/dashboard.ts';

const dashboard = useDashboard();
const axeFile = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
let jobs: DemoJobs;

/** What the script puts into the page. */
declare global {
  var axe: typeof axeCore;
}

beforeAll(async () => {
  jobs = await fillWithDemoData(dashboard.database().pool);
});

/** Each page by its address, and a text that is there once its data is. */
const pages: [name: string, hash: () => string, text: string][] = [
  ['overview', () => '#/', 'By type, last 7 days'],
  ['list of jobs', () => '#/jobs', '64 % page 128 of 200'],
  ['page of a failed job', () => `#/jobs/${jobs.failed}`, 'Attempts that did not complete (2)'],
  ['page of a running job', () => `#/jobs/${jobs.running}`, '64 % page 128 of 200'],
  ['types', () => '#/types', 'Capture one pull request'],
  ['schedules', () => '#/schedules', 'nightly-sizes'],
  ['quotas', () => '#/quotas', 'github:graphql'],
  ['audit trail', () => '#/audit', 'No operator has done anything yet'],
  ['form for a new job', () => '#/enqueue?type=capture%2Fpr.details', 'Enqueue…'],
  ['page that does not exist', () => '#/nowhere', 'There is no page “nowhere”'],
  [
    'page of a job that does not exist',
    () => '#/jobs/00000000-0000-7000-8000-000000000000',
    'There is no such job',
  ],
];

async function open(page: Page, hash: string, text: string): Promise<void> {
  await page.goto(`${dashboard.host().url}${hash}`);
  await page.getByText(text).first().waitFor();
}

/** @param rules default: all */
async function violations(page: Page, rules?: string[]): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in window))) await page.addScriptTag({ path: axeFile });
  return await page.evaluate(async (runOnly) => {
    const { violations } = await axe.run({ resultTypes: ['violations'], ...(runOnly && { runOnly }) });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`);
  }, rules);
}

/** Colours alone differ in the dark. */
describe.each([
  ['light', undefined],
  ['dark', ['color-contrast']],
] as const)('in %s colours', (colorScheme, someRules) => {
  const rules = someRules && [...someRules];

  test('axe finds nothing on any page', async () => {
    const page = await dashboard.signedIn('#/', { colorScheme });
    const found: Record<string, string[]> = {};
    for (const [name, hash, text] of pages) {
      await open(page, hash(), text);
      found[name] = await violations(page, rules);
    }
    expect(found).toEqual(Object.fromEntries(pages.map(([name]) => [name, []])));
  });

  test('axe finds nothing in a dialog', async () => {
    const page = await dashboard.signedIn(`#/jobs/${jobs.running}`, { colorScheme, reducedMotion: 'reduce' });
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('dialog', { name: 'Cancel this job?' }).waitFor();
    expect(await violations(page, rules)).toEqual([]);
  });
});

test('no page is wider than a phone', async () => {
  const page = await dashboard.signedIn('#/', { viewport: { width: 360, height: 740 } });
  const tooWide: Record<string, number> = {};
  for (const [name, hash, text] of pages) {
    await open(page, hash(), text);
    const excess = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    if (excess > 0) tooWide[name] = excess;
  }
  expect(tooWide).toEqual({});
});

test('the keyboard leads past the navigation and through the list', async () => {
  const page = await dashboard.signedIn('#/jobs');
  await page.getByRole('table', { name: 'Jobs' }).waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('main');
  await page.getByRole('table', { name: 'Jobs' }).focus();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'capture/repository.sync.enhanced' }).waitFor();
});

test('the reader’s choice of colours outlasts a reload', async () => {
  const page = await dashboard.signedIn('#/', { colorScheme: 'light' });
  await page.getByRole('button', { name: 'Switch to dark colours' }).click();
  await page.reload();
  await page.getByRole('button', { name: 'Switch to light colours' }).waitFor();
});

test('the chart tells what ended in the chosen span, and the address keeps it', async () => {
  await dashboard.database().pool.query(
    `insert into background_jobs (type, lane, status, created_at, run_at, started_at, completed_at, duration_ms, expires_at)
     select 'system/ping', 'inline', 'completed', t.at, t.at, t.at, t.at, 1, t.at + interval '1 day'
     from unnest(array['6 hours', '5 days', '5 days', '8 days']) as a(ago) cross join lateral (select now() - a.ago::interval) as t(at)`,
  );
  const page = await dashboard.signedIn('#/');
  const told = async (span: string) => {
    await page.getByLabel('Time span').selectOption({ label: span });
    const name = await page.getByRole('img', { name: `Ended jobs, ${span}:` }).getAttribute('aria-label');
    return Number(/([\d,]+) completed/.exec(name ?? '')?.[1]?.replaceAll(',', ''));
  };
  const threeHours = await told('last 3 hours');
  const day = await told('last day');
  expect(await told('last hour')).toBeLessThan(threeHours);
  expect(day).toBeGreaterThan(threeHours);
  expect(await told('last week')).toBe(day + 2);
  await page.reload();
  expect(await page.getByLabel('Time span').inputValue()).toBe('10080');

  const chart = page.getByRole('img', { name: /^Ended jobs, last week/ });
  const { width = 0 } = (await chart.boundingBox()) ?? {};
  await chart.hover({ position: { x: width / 3, y: 60 } });
  await page.getByText(/^from \d{4}-\d\d-\d\d \d\d:00$/).waitFor();
  await page.getByText('0 completed', { exact: true }).waitFor();
  await page.mouse.move(0, 0);
  await page.getByText(`${(day + 2).toLocaleString('en-US')} completed`).waitFor();
});
