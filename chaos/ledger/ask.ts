import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';

/** A database that was killed is back after less, in milliseconds. */
const patienceMs = 60_000;

/**
 * Asks the database, again and again while it is away.
 * @param pool - the one of the moment: the server may come back elsewhere
 */
export async function ask<Row extends pg.QueryResultRow>(
  pool: () => pg.Pool,
  sql: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const giveUpAt = Date.now() + patienceMs;
  for (;;) {
    try {
      return (await pool().query<Row>(sql, values)).rows;
    } catch (error) {
      if (Date.now() > giveUpAt) throw error;
      await sleep(50);
    }
  }
}
