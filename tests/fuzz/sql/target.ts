import fc from 'fast-check';
import pg from 'pg';
import { createFunctionCalls } from '../../../src/database/function-call.ts';
import type { JsonValue } from '../values/json-tree.ts';
import type { FuzzTarget, OpenTarget } from '../target.ts';
import { argument, type Known } from './argument.ts';
import { isRefusal } from './refusals.ts';
import { type OpenFunction, readOpenFunctions } from './open-functions.ts';
import { samplesOf } from './samples.ts';
import { seed } from './seed.ts';

interface Call {
  name: string;
  role: OpenFunction['role'];
  args: Record<string, unknown>;
}

/** The claims of a user who may operate jobs: others are refused before anything is looked at. */
const operator = JSON.stringify({
  ...{ role: 'authenticated', sub: '01920000-0000-7000-8000-000000000001', email: 'operator@example.com' },
  app_metadata: { role: 'job_operator' },
});

/**
 * Calls of every SQL function that can be called through the gateway. Each is answered, or refused with a documented code, within
 * five seconds; what was accepted leaves the queue sound. Nothing is kept, so that a case does not depend on others.
 */
export const sqlFunctions: FuzzTarget = {
  name: 'sql-functions',
  weight: 6,
  open: async (databaseUrl) => await open(databaseUrl),
};

async function open(databaseUrl: string): Promise<OpenTarget> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 1 });
  const known = await seed(pool);
  const functions = await readOpenFunctions(pool);
  const samples = samplesOf(known);
  const client = await pool.connect();
  // What a function says to people is not looked at here.
  await client.query('set client_min_messages = error');
  const calls = createFunctionCalls();
  const answers = { accepted: 0, refused: 0 };
  const property = fc.asyncProperty(
    fc.oneof(...functions.map((each) => call(each, known, samples[each.name]))),
    async ({ name, role, args }) => {
      const { text, values } = await calls.write(client, name, args);
      await client.query(`begin; set local role ${role}; set local statement_timeout = '5s'`);
      await client.query(`select set_config('request.jwt.claims', $1, true)`, [operator]);
      try {
        await client.query(text, values);
        answers.accepted += 1;
        await client.query('reset role; set constraints all immediate');
        const { rows } = await client.query('select * from check_background_jobs()');
        if (rows.length > 0) throw new Error(`${name} left the queue unsound: ${JSON.stringify(rows)}`);
      } catch (error) {
        if (!isRefusal(name, error)) throw error;
        answers.refused += 1;
      } finally {
        await client.query('rollback');
      }
    },
  );
  return {
    property,
    summary: () =>
      `${functions.length} functions, ${answers.accepted} calls accepted, ${answers.refused} refused`,
    close: async () => {
      client.release();
      await pool.end();
    },
  };
}

function call(
  { name, role, arguments: args, words }: OpenFunction,
  known: Known,
  samples: Record<string, JsonValue[]> = {},
): fc.Arbitrary<Call> {
  const values = Object.fromEntries(
    args.map((each) => [each.name, argument(each, words, known, samples[each.name] ?? [])]),
  );
  return fc.record({ name: fc.constant(name), role: fc.constant(role), args: fc.record(values) });
}
