import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import type { Worker } from '../src/worker/worker.ts';
import { createJobQueue } from '../src/queue/job-queue.ts';
import { runbook } from './operations/runbook.ts';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from './support/database.ts';
import { productFiles, type SourceFile } from './support/imports.ts';
import { startTestWorker, workerJob } from './support/worker.ts';

/** What the runbook's table of connections says of a host. */
function documented(host: string): number {
  const row = runbook.split('\n').find((line) => line.startsWith(`| ${host}`));
  return Number(row?.split('|')[2]);
}

describe('a worker', () => {
  let database: TestDatabase;
  let worker: Worker | undefined;

  beforeEach(async () => {
    database = await createTestDatabase();
  });
  afterEach(async () => {
    await worker?.stop();
    await expectSoundQueue(database.pool);
    await database.close();
  });

  async function connections(name: string): Promise<number> {
    const { rows } = await database.pool.query<{ count: number }>(
      'select count(*)::int from pg_stat_activity where application_name = $1',
      [name],
    );
    return rows[0]?.count ?? 0;
  }

  test('under full load holds the connections that are documented, and no more', async () => {
    const asking = workerJob('test/asking', z.unknown(), async (ctx) => {
      for (let n = 0; n < 3; n += 1) await ctx.rpc('get_job_statistics_summary');
    });
    const name = 'worker under load';
    const most = documented('worker process');
    await createJobQueue(database.rpc).enqueue(
      Array.from({ length: 600 }, (_, n) => ({ type: 'test/asking', lane: n % 2 === 0 ? 'edge' : 'worker' })),
    );
    worker = await startTestWorker(database, [asking], {
      ...{ worker: name, lanes: ['edge', 'worker'], concurrency: 50, pollMs: 100, sweepSeconds: 1 },
    });
    const seen: number[] = [];
    await vi.waitFor(
      async () => {
        seen.push(await connections(name));
        const { rows } = await database.pool.query(
          `select 1 from background_jobs where status <> 'completed' limit 1`,
        );
        expect(rows).toEqual([]);
      },
      { timeout: 60_000, interval: 5 },
    );
    expect(Math.max(...seen)).toBeLessThanOrEqual(most);
    // The load was one: what jobs may use was used, or this test would see nothing.
    expect(Math.max(...seen)).toBeGreaterThan(10);
  });
});

describe('a function on Netlify or Supabase', () => {
  const files = new Map(
    ['src', 'netlify/functions', 'supabase/functions'].flatMap(productFiles).map((file) => [file.path, file]),
  );

  /** Everything that is loaded with this file. */
  function loadedWith({ imports }: SourceFile, seen = new Set<string>()): Set<string> {
    for (const { target, typeOnly } of imports) {
      if (typeOnly || seen.has(target)) continue;
      seen.add(target);
      const file = files.get(target);
      if (file) loadedWith(file, seen);
    }
    return seen;
  }

  const entryPoints = [...files.values()].filter(({ path }) =>
    /^(netlify\/functions\/[^/]+|supabase\/functions\/[^/]+\/index)\.ts$/.test(path),
  );

  test('there are some', () => {
    expect(entryPoints.length).toBeGreaterThan(4);
    expect(documented('Netlify function')).toBe(0);
    expect(documented('Supabase Edge Function')).toBe(0);
  });

  test.each(entryPoints)('opens no connection to the database: $path', (file) => {
    const loaded = loadedWith(file);
    expect(loaded.size).toBeGreaterThan(3);
    expect([...loaded]).not.toContain('pg');
  });
});
