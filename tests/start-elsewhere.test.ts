import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { startGateway } from '../src/local/gateway.ts';
import { runCli } from './support/cli.ts';
import { createTestDatabase } from './support/database.ts';
import { testKeys } from './support/drivers.ts';
import { silentLogger } from './support/silent-logger.ts';

const READY = 'Ctrl-C stops everything.';

let dataDir: string;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'stack-elsewhere-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

/** Starts a stack with these settings, waits until it is ready, sends a ping, stops it, and answers what it printed. */
async function pingThrough(env: Record<string, string>, ...flags: string[]): Promise<string> {
  const stack = runCli('start', ['--data-dir', dataDir, ...flags], env);
  await stack.printed(READY);
  const ping = runCli('send', ['--data-dir', dataDir, 'system/ping'], env);
  expect(await ping.ended, ping.output()).toBe(0);
  stack.signal('SIGTERM');
  expect(await stack.ended, stack.output()).toBe(0);
  return stack.output();
}

async function jobsIn(url: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query('select type, status from background_jobs');
  await client.end();
  return rows as unknown[];
}

const pinged = [{ type: 'system/ping', status: 'completed' }];

test('DATABASE_URL takes the place of the embedded Postgres, and is migrated only with --migrate', async () => {
  const url = new URL(inject('clusterUrl'));
  const admin = new pg.Client({ connectionString: url.href });
  await admin.connect();
  url.pathname = `/stack_${randomBytes(6).toString('hex')}`;
  await admin.query(`create database ${url.pathname.slice(1)}`);

  const refused = runCli('start', ['--data-dir', dataDir], { DATABASE_URL: url.href });
  expect(await refused.ended).toBe(1);
  expect(refused.output()).toContain('start with --migrate');
  expect(refused.output()).not.toContain(':postgres@');

  const output = await pingThrough({ DATABASE_URL: url.href }, '--migrate');
  expect(output).toContain('yours, from DATABASE_URL');
  expect(output).not.toContain('Postgres 17');
  expect(await jobsIn(url.href)).toEqual(pinged);
  await admin.query(`drop database ${url.pathname.slice(1)} with (force)`);
  await admin.end();
});

test('SUPABASE_URL takes the place of database, gateway and Edge Functions', async () => {
  const database = await createTestDatabase();
  const gateway = await startGateway({ databaseUrl: database.url, keys: testKeys, log: silentLogger });
  const output = await pingThrough({ SUPABASE_URL: gateway.url, SUPABASE_SECRET_KEY: testKeys.secret });
  expect(output).toContain(gateway.url);
  expect(output).not.toMatch(/Postgres 17|process-job +│/);
  expect(await jobsIn(database.url)).toEqual(pinged);
  await gateway.close();
  await database.close();
});

test('a wall limit that is no number is named at start', async () => {
  const refused = runCli('start', ['--data-dir', dataDir], { EDGE_WALL_SECONDS: 'long' });
  expect(await refused.ended).toBe(1);
  expect(refused.output()).toContain('EDGE_WALL_SECONDS: expected a whole number from 1, got "long"');
});
