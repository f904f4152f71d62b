import pg from 'pg';
import { createPgRpc } from '../../database/pg-rpc.ts';
import { RpcError, type Rpc } from '../../database/rpc.ts';
import { explainMissing } from '../../database/schema-check.ts';
import type { EnvRecord } from '../../runtime/config-reader.ts';
import { dataDirOption, resolveDataDir } from '../command/data-dir.ts';
import { findTarget } from '../command/target.ts';
import { UsageError } from '../command/command-line.ts';

/** What every command of `npm run jobs` gets from its process. */
export interface JobsHost {
  /** What follows the command's name. */
  args: string[];
  env: EnvRecord;
  now: () => Date;
  print: (text: string) => void;
}

/** The flags that every command of `npm run jobs` has. */
export const jobsOptions = { ...dataDirOption, json: { type: 'boolean', default: false } } as const;

/** How the help texts tell of them. */
export const jobsOptionsHelp = `  --json              for programs
  --data-dir folder   of the stack; default .local. Without a running stack, DATABASE_URL counts
  --help              this text`;

/**
 * Calls functions of the database that the command acts on.
 * @throws {UsageError} the database says which argument is wrong
 * @throws {Error} there is no database, or it does not answer
 */
export async function withRpc<Result>(
  host: JobsHost,
  dataDir: string,
  work: (rpc: Rpc) => Promise<Result>,
): Promise<Result> {
  const { databaseUrl } = await findTarget(resolveDataDir(dataDir), host.env);
  if (databaseUrl === null)
    throw new Error('No stack is running here and DATABASE_URL is not set: start one with npm start');
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 1, connectionTimeoutMillis: 10_000 });
  pool.on('error', () => undefined);
  try {
    return await work(explainMissing(createPgRpc(pool)));
  } catch (error) {
    if (error instanceof RpcError && error.code === 'PT400')
      throw new UsageError(error.message.replace(`${error.functionName}: `, ''), { cause: error });
    throw error;
  } finally {
    await pool.end();
  }
}
