import pg from 'pg';
import { createPgRpc } from '../../database/pg-rpc.ts';
import { RpcError, type Rpc } from '../../database/rpc.ts';
import { explainMissing } from '../../database/schema-check.ts';
import { withoutPassword } from '../../local/external-database.ts';
import type { EnvRecord } from '../../runtime/config-reader.ts';
import { UsageError } from '../command/command-line.ts';
import { dataDirOption, resolveDataDir } from '../command/data-dir.ts';
import { findTarget } from '../command/target.ts';

/** What every command of `npm run jobs` gets from its process. */
export interface JobsHost {
  /** What follows the command's name. */
  args: string[];
  env: EnvRecord;
  fetch: typeof fetch;
  now: () => Date;
  print: (text: string) => void;
  /** From this call on, the user's signal to stop (Ctrl-C) does not end the process: it aborts what this returns. */
  stopSignal: () => AbortSignal;
}

/** The flags that every command of `npm run jobs` has. */
export const jobsOptions = { ...dataDirOption, json: { type: 'boolean', default: false } } as const;

/** How the help texts tell of them. */
export const jobsOptionsHelp = `  --json              for programs
  --data-dir folder   of the stack; default .local. Without a running stack, DATABASE_URL counts
  --help              this text`;

/** A row of a question in SQL; times are `Date`, every number is a number. */
export type Query = <Row extends object>(sql: string, values?: unknown[]) => Promise<Row[]>;

/** Ways to the database of a deployment. */
export interface JobsDatabase {
  rpc: Rpc;
  query: Query;
  /** The environment of the functions that work on it, as far as it is known here. */
  env: EnvRecord;
}

/**
 * Works with the database that the command acts on.
 * @throws {UsageError} the database says which argument is wrong
 * @throws {Error} there is no database, or it does not answer, or it knows no such job or type
 */
export async function withDatabase<Result>(
  host: JobsHost,
  dataDir: string,
  work: (database: JobsDatabase) => Promise<Result>,
): Promise<Result> {
  const { databaseUrl, env } = await findTarget(resolveDataDir(dataDir), host.env);
  if (databaseUrl === null)
    throw new Error('No stack is running here and DATABASE_URL is not set: start one with npm start');
  return await onDatabase(databaseUrl, (database) => work({ ...database, env }));
}

/** The same for functions only. */
export async function withRpc<Result>(
  host: JobsHost,
  dataDir: string,
  work: (rpc: Rpc) => Promise<Result>,
): Promise<Result> {
  return await withDatabase(host, dataDir, ({ rpc }) => work(rpc));
}

/** As {@link withDatabase}, for who knows the URL. */
export async function onDatabase<Result>(
  databaseUrl: string,
  work: (database: Omit<JobsDatabase, 'env'>) => Promise<Result>,
): Promise<Result> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 1, connectionTimeoutMillis: 10_000 });
  pool.on('error', () => undefined);
  try {
    await reach(pool, databaseUrl);
    return await work({ rpc: explainMissing(createPgRpc(pool)), query: createQuery(pool) });
  } catch (error) {
    throw toFailure(error);
  } finally {
    await pool.end();
  }
}

async function reach(pool: pg.Pool, url: string): Promise<void> {
  await pool.query('select 1').catch((cause: unknown) => {
    throw new Error(`cannot connect to ${withoutPassword(url)}`, { cause });
  });
}

function createQuery(pool: pg.Pool): Query {
  const getTypeParser = (oid: number): ((text: string) => unknown) =>
    oid === INT8 || oid === NUMERIC ? Number : (pg.types.getTypeParser(oid) as (text: string) => unknown);
  return async <Row extends object>(text: string, values: unknown[] = []) =>
    (await pool.query<Row>({ text, values, types: { getTypeParser } })).rows;
}

const INT8: number = pg.types.builtins.INT8;
const NUMERIC: number = pg.types.builtins.NUMERIC;

/** The database's refusals without the name of the function, which the user has not typed. */
function toFailure(error: unknown): unknown {
  if (!(error instanceof RpcError) || !error.code.startsWith('PT4')) return error;
  const message = error.message.replace(`${error.functionName}: `, '');
  return error.code === 'PT400'
    ? new UsageError(message, { cause: error })
    : new Error(message, { cause: error });
}

export function printJson(host: JobsHost, value: unknown): void {
  host.print(JSON.stringify(value, null, 2));
}
