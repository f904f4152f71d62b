import { access, constants, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { migrate } from '../../src/local/migrate.ts';
import { isAlive, stopOrphan } from '../../src/local/postgres-orphan.ts';
import { startPostgres } from '../../src/local/postgres.ts';
import { memoryFolder } from './memory-folder.ts';
import { silentLogger } from './silent-logger.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Superuser connection to the database `postgres` of this run's cluster. */
    clusterUrl: string;
  }
}

const PREFIX = 'hybrid-jobs-test-';

const IN_MEMORY = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };

/**
 * One cluster per run, in memory; every test file clones its databases from the template `migrated`.
 * TEST_POSTGRES=durable puts it on disk with the server's default durability.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const durable = process.env.TEST_POSTGRES === 'durable';
  const parent = durable ? tmpdir() : memoryFolder();
  await removeLeftovers(parent);
  const server = await startPostgres({
    dataDir: join(parent, `${PREFIX}${process.pid}`),
    persistent: false,
    log: silentLogger,
    settings: { max_connections: '200', ...(durable ? {} : IN_MEMORY) },
  });
  await makeTemplate(server.url).catch(async (error: unknown) => {
    await server.stop();
    throw error;
  });
  project.provide('clusterUrl', server.url);
  return () => server.stop();
}

/** Clusters of runs that were killed: their owners are gone, so `stopOrphan` may stop them. */
async function removeLeftovers(parent: string): Promise<void> {
  const folders = (await readdir(parent)).filter((name) => name.startsWith(PREFIX));
  for (const folder of folders.map((name) => join(parent, name))) {
    const owner = Number(/-(\d+)(\.new)?$/.exec(folder)?.[1]);
    if (isAlive(owner) || !(await isOurs(folder))) continue;
    await stopOrphan(folder, silentLogger);
    await rm(folder, { recursive: true, force: true });
  }
}

async function isOurs(folder: string): Promise<boolean> {
  return await access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );
}

async function makeTemplate(clusterUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: clusterUrl });
  await client.connect();
  try {
    await client.query('create database migrated');
    const url = new URL(clusterUrl);
    url.pathname = '/migrated';
    await migrate(url.href, silentLogger);
    // Nobody may connect: a database that is in use cannot be cloned.
    await client.query('alter database migrated with is_template true allow_connections false');
  } finally {
    await client.end();
  }
}
