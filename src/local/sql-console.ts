import type pg from 'pg';
import { connect } from './external-database.ts';
import { textTable } from './text-table.ts';

/**
 * Runs SQL as psql would: each statement's rows as a table, or what it did, and the server's notices.
 * @throws {Error} the database cannot be reached, or refused the statement (pg.DatabaseError)
 */
export async function runSql(databaseUrl: string, sql: string, print: (text: string) => void): Promise<void> {
  const client = await connect(databaseUrl);
  client.on('notice', ({ severity, message }) => print(`${severity ?? 'NOTICE'}: ${message}`));
  try {
    const query = { text: sql, rowMode: 'array' as const, types: { getTypeParser: () => asText } };
    const answer: pg.QueryArrayResult<(string | null)[]> | pg.QueryArrayResult<(string | null)[]>[] =
      await client.query<(string | null)[]>(query);
    for (const { command, rowCount, fields, rows } of [answer].flat()) {
      if (fields.length === 0) print(`${command} ${rowCount ?? ''}`.trim());
      else
        print(
          `${textTable(
            fields.map(({ name }) => name),
            rows,
          )}\n(${rows.length} ${rows.length === 1 ? 'row' : 'rows'})`,
        );
    }
  } finally {
    await client.end();
  }
}

/** As the server wrote it. */
const asText = (value: string): string => value;
