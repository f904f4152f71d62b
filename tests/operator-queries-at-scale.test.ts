import { readdirSync, readFileSync } from 'node:fs';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createJobQueue } from '../src/queue/job-queue.ts';
import { createTestDatabase, type TestDatabase } from './support/database.ts';
import { seedMillionJobs } from './support/million-jobs.ts';

/** Every operator question on a million jobs: none of them may read all of these. How long each took is printed. */

const folder = new URL('../supabase/queries/', import.meta.url);
const files = readdirSync(folder).filter((file) => file.endsWith('.sql'));

let database: TestDatabase;
const took: string[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  await seedMillionJobs(database.pool);
  // Live ones beside the history.
  const queue = createJobQueue(database.rpc);
  await queue.enqueue(Array.from({ length: 200 }, (_, n) => ({ type: `seeded/type.${1 + (n % 20)}` })));
  await queue.claim({ lane: 'edge', worker: 'test worker', maxJobs: 20, leaseSeconds: 600 });
  // The rows take half a minute on a quiet machine.
}, 900_000);
afterAll(async () => {
  process.stdout.write(`On a million jobs:\n${took.join('\n')}\n`);
  await database.close();
});

/** How often this session has read all of `background_jobs`, in queries and in the functions that they call. */
async function fullScans(client: pg.PoolClient): Promise<number> {
  await client.query('select pg_stat_force_next_flush()');
  const { rows } = await client.query<{ scans: string }>(
    `select seq_scan as scans from pg_stat_user_tables where relid = 'background_jobs'::regclass`,
  );
  return Number(rows[0]?.scans);
}

test.each(files)('%s answers without reading all jobs', async (file) => {
  const client = await database.pool.connect();
  try {
    const before = await fullScans(client);
    const startedAt = performance.now();
    await client.query(readFileSync(new URL(file, folder), 'utf8'));
    took.push(`${(performance.now() - startedAt).toFixed(0).padStart(6)} ms  ${file}`);
    expect(await fullScans(client)).toBe(before);
  } finally {
    client.release();
  }
});
