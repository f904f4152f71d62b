import pg from 'pg';
import type { Contender, Producer } from './contender.ts';
import { openPool } from './pool.ts';

/** A contender in a database of its own, so that one's dead rows and statistics do not burden another. */
export interface Entrant {
  contender: Contender;
  databaseUrl: string;
  /** For looking on. */
  pool: pg.Pool;
  /** Sends on `pool`. */
  producer: Producer;
  close(): Promise<void>;
}

/** Connections of the clients that enqueue side by side. */
export const clients = 16;

/**
 * Makes a database for the contender on the server of `serverUrl`.
 * @throws {Error} the contender cannot be installed: nothing is compared without it
 */
export async function enter(contender: Contender, serverUrl: string, suffix = ''): Promise<Entrant> {
  const name = `${contender.name}${suffix}`.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_');
  await onServer(serverUrl, `create database ${name}`);
  const databaseUrl = new URL(serverUrl);
  databaseUrl.pathname = name;
  try {
    await contender.install(databaseUrl.href);
    const pool = openPool(databaseUrl.href, clients);
    const producer = await contender.openProducer(pool);
    const close = async (): Promise<void> => {
      await producer.close();
      await pool.end();
      await onServer(serverUrl, `drop database ${name} with (force)`);
    };
    return { contender, databaseUrl: databaseUrl.href, pool, producer, close };
  } catch (cause) {
    throw new Error(`${contender.name} cannot be measured`, { cause });
  }
}

/** Some contenders side by side on one server, by name. */
export interface Arena {
  entrants: ReadonlyMap<string, Entrant>;
  /** By name, for the result file. */
  settings: Record<string, unknown>;
  close(): Promise<void>;
}

export async function openArena(contenders: readonly Contender[], serverUrl: string): Promise<Arena> {
  const entrants = new Map<string, Entrant>();
  for (const contender of contenders) entrants.set(contender.name, await enter(contender, serverUrl));
  return {
    entrants,
    settings: settingsOf(contenders),
    async close() {
      for (const entrant of entrants.values()) await entrant.close();
    },
  };
}

/** By name, for the result file. */
export function settingsOf(contenders: readonly Contender[]): Record<string, unknown> {
  return Object.fromEntries(contenders.map(({ name, settings }) => [name, settings]));
}

async function onServer(serverUrl: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
