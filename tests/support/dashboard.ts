import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, inject } from 'vitest';
import { startDashboardHost, type DashboardHost } from '../../dashboard/screenshots/dashboard-host.ts';
import { launchBrowser } from '../../dashboard/screenshots/launch-browser.ts';
import { createDashboardBuild } from '../../src/local/dashboard-build.ts';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from './database.ts';
import { testKeys } from './drivers.ts';
import { root } from './imports.ts';
import { silentLogger } from './silent-logger.ts';

export interface DashboardInBrowser {
  database(): TestDatabase;
  host(): DashboardHost;
  /** A new page at nothing yet; what it writes to the console as an error fails the test. */
  newPage(options?: BrowserContextOptions): Promise<Page>;
  /** A page that the printed link has signed in, at `hash`. */
  signedIn(hash?: string, options?: BrowserContextOptions): Promise<Page>;
  /** Errors of this kind in the console are part of the test. */
  expectComplaint(kind: RegExp): void;
}

/** Folder of the built site. Test files that run side by side wait for one build instead of replacing each other's. */
export async function builtDashboard(): Promise<string> {
  const client = new pg.Client({ connectionString: inject('clusterUrl') });
  await client.connect();
  try {
    await client.query("select pg_advisory_lock(hashtext('dashboard/dist'))");
    return await createDashboardBuild(root, silentLogger).folder();
  } finally {
    await client.end();
  }
}

/** The built dashboard on a database of its own for the file, in a real Chromium. */
export function useDashboard({ isLocal = true } = {}): DashboardInBrowser {
  let database: TestDatabase;
  let host: DashboardHost;
  let browser: Browser;
  let complaints: string[] = [];
  let expected: RegExp[] = [];

  beforeAll(async () => {
    await builtDashboard();
    database = await createTestDatabase();
    const options = { root, databaseUrl: database.url, keys: testKeys, isLocal, log: silentLogger };
    [host, browser] = await Promise.all([startDashboardHost(options), launchBrowser()]);
  });
  afterEach(async () => {
    await Promise.all(browser.contexts().map(async (context) => await context.close()));
    const written = complaints.filter((text) => !expected.some((kind) => kind.test(text)));
    complaints = [];
    expected = [];
    expect(written).toEqual([]);
    await expectSoundQueue(database.pool);
  });
  afterAll(async () => {
    await browser.close();
    await host.close();
    await database.close();
  });

  async function newPage(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext({ locale: 'en-US', timezoneId: 'UTC', ...options });
    const page = await context.newPage();
    // The machine may be busy with other tests.
    page.setDefaultTimeout(90_000);
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    return page;
  }

  return {
    database: () => database,
    host: () => host,
    newPage,
    expectComplaint: (kind) => void expected.push(kind),
    async signedIn(hash = '#/', options = {}) {
      const page = await newPage(options);
      await page.goto(host.signInUrl());
      await page.getByRole('navigation', { name: 'Pages' }).waitFor();
      await page.goto(`${host.url}${hash}`);
      return page;
    },
  };
}
