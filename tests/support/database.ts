import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { expect, inject } from 'vitest';
import { createPgRpc } from '../../src/database/pg-rpc.ts';
import type { Rpc } from '../../src/database/rpc.ts';

export interface TestDatabase {
  url: string;
  pool: pg.Pool;
  /** The pg driver on `pool`. */
  rpc: Rpc;
  /** Ends the pool and drops the database, whoever is still connected. */
  close(): Promise<void>;
}

/** A fresh database with all migrations applied; takes some 30 ms. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await onCluster(`create database ${name} template migrated strategy file_copy`);
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
      await onCluster(`drop database if exists ${name} with (force)`);
    },
  };
}

/** For `afterEach`: the queue's tables agree with each other. */
export async function expectSoundQueue(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query('select * from check_background_jobs()');
  expect(rows).toEqual([]);
}

async function onCluster(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: inject('clusterUrl') });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
