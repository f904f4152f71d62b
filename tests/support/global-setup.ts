import { accessSync, constants } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { migrate } from '../../src/local/migrate.ts';
import { startPostgres } from '../../src/local/postgres.ts';
import type { Logger } from '../../src/runtime/logger.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Superuser connection to the database `postgres` of this run's cluster. */
    clusterUrl: string;
  }
}

const TEMPLATE = 'migrated';

/** One cluster per run, in memory where possible; every test file clones its databases from the migrated template. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startPostgres({
    dataDir: join(memoryFolder(), `hybrid-jobs-test-${process.pid}`),
    persistent: false,
    log: silent,
    settings: { max_connections: '200', fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' },
  });
  await makeTemplate(server.url);
  project.provide('clusterUrl', server.url);
  return () => server.stop();
}

async function makeTemplate(clusterUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: clusterUrl });
  await client.connect();
  await client.query(`create database ${TEMPLATE}`);
  const url = new URL(clusterUrl);
  url.pathname = `/${TEMPLATE}`;
  await migrate(url.href, silent);
  await client.query(`alter database ${TEMPLATE} with is_template true allow_connections false`);
  await client.end();
}

function memoryFolder(): string {
  try {
    accessSync('/dev/shm', constants.W_OK);
    return '/dev/shm';
  } catch {
    return tmpdir();
  }
}

const silent: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silent,
};
