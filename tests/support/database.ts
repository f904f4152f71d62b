import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { expect, inject } from 'vitest';
import { createPgRpc } from '../../src/database/pg-rpc.ts';
import type { UncheckedRpc } from '../../src/database/rpc.ts';

export interface TestDatabase {
  url: string;
  pool: pg.Pool;
  /** The pg driver on `pool`. */
  rpc: UncheckedRpc;
  /** Ends the pool and drops the database; who is still connected a while later is cut off. */
  close(): Promise<void>;
}

/** A fresh database with all migrations applied; takes some 30 ms. */
export function createTestDatabase(): Promise<TestDatabase> {
  return createFrom('migrated');
}

/** A fresh database without any migration. */
export function createEmptyDatabase(): Promise<TestDatabase> {
  return createFrom('template0');
}

async function createFrom(template: string): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await onCluster(`create database ${name} template ${template} strategy file_copy`);
  const url = new URL(inject('clusterUrl'));
  url.pathname = `/${name}`;
  const pool = new pg.Pool({ connectionString: url.href, max: 10 });
  // A client that loses its connection while idle must not end the test process.
  pool.on('error', () => {});
  return {
    url: url.href,
    pool,
    rpc: createPgRpc(pool),
    close: async () => {
      await pool.end();
      await drop(name);
    },
  };
}

/** For `afterEach`: the queue's tables agree with each other. */
export async function expectSoundQueue(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query('select * from check_background_jobs()');
  expect(rows).toEqual([]);
}

/** A pool that has ended still closes its connections; cut off in the middle of that, it would fail the test run. */
async function drop(name: string): Promise<void> {
  const giveUpAt = Date.now() + 5_000;
  while ((await connections(name)) > 0 && Date.now() < giveUpAt) await sleep(5);
  await onCluster(`drop database if exists ${name} with (force)`);
}

async function connections(name: string): Promise<number> {
  return (await onCluster('select 1 from pg_stat_activity where datname = $1', [name])).length;
}

async function onCluster(statement: string, values: unknown[] = []): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: inject('clusterUrl') });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(statement, values)).rows;
  } finally {
    await client.end();
  }
}
