import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import pg from 'pg';
import type { Page } from 'playwright-core';
import { migrate } from '../../src/local/migrate.ts';
import { startPostgres } from '../../src/local/postgres.ts';
import { createNodeLogger } from '../../src/runtime/node-logger.ts';
import { startDashboardHost } from './dashboard-host.ts';
import { fillWithDemoData } from './demo-data.ts';
import { launchBrowser } from './launch-browser.ts';

/** `npm run screenshots`: the pictures of the README, from the real dashboard over made-up jobs. */

const root = resolve(import.meta.dirname, '../..');
const images = join(root, 'docs/images');
const log = createNodeLogger({ level: 'warn' });
const keys = {
  secret: 'sb_secret_screenshots',
  publishable: 'sb_publishable_screenshots',
  jwtSecret: 'made-up-for-the-pictures-and-nothing-else',
};

const dataDir = join(tmpdir(), `hybrid-jobs-screenshots-${process.pid}`);
const server = await startPostgres({ dataDir, persistent: false, log });
try {
  await migrate(server.url, log);
  const pool = new pg.Pool({ connectionString: server.url });
  const jobs = await fillWithDemoData(pool);
  const host = await startDashboardHost({ root, databaseUrl: server.url, keys, log });
  const browser = await launchBrowser();
  await mkdir(images, { recursive: true });
  for (const colorScheme of ['light', 'dark'] as const) {
    const size = { width: 1280, height: 860 };
    const page = await browser.newPage({
      viewport: size,
      colorScheme,
      locale: 'en-US',
      reducedMotion: 'reduce',
    });
    page.setDefaultTimeout(120_000);
    await page.goto(host.signInUrl());
    await page.getByRole('navigation', { name: 'Pages' }).waitFor();
    await picture(page, host.url, '#/', 'Ended jobs', `dashboard-overview-${colorScheme}`);
    await picture(page, host.url, '#/jobs', 'more as you scroll', `dashboard-jobs-${colorScheme}`);
    await picture(page, host.url, `#/jobs/${jobs.failed}`, 'Saved steps', `dashboard-job-${colorScheme}`);
  }
  await browser.close();
  await host.close();
  await pool.end();
} finally {
  await server.stop();
}

async function picture(page: Page, url: string, hash: string, text: string, name: string): Promise<void> {
  await page.goto(url + hash);
  await page.getByText(text).first().waitFor();
  await page.waitForLoadState('networkidle');
  const path = join(images, `${name}.png`);
  await page.screenshot({ path });
  console.log(path);
}
