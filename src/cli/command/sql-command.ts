import type { EnvRecord } from '../../runtime/config-reader.ts';
import { runSql } from '../../local/sql-console.ts';
import { readCommandLine, UsageError } from './command-line.ts';
import { dataDirOption, resolveDataDir } from './data-dir.ts';
import { findTarget } from './target.ts';

const help = `Runs SQL in the database of the running stack, else in that of DATABASE_URL, and prints tables.

  npm run sql -- "select * from get_job_statistics_summary()"
  npm run sql -- "select explain_background_job('<job id>')"
  npm run sql -- "select retry_failed_job(id) from background_jobs where status = 'failed'"
  npm run sql < supabase/queries/queue-status.sql

  --data-dir folder   of the stack; default .local
  --help              this text`;

interface SqlHost {
  args: string[];
  env: EnvRecord;
  /** Standard input to its end; empty where that is a terminal. */
  readInput(): Promise<string>;
}

/** `npm run sql`: @returns the exit code */
export async function sql(host: SqlHost): Promise<number> {
  const { values, positionals } = readCommandLine(host.args, dataDirOption, help);
  const [text = await host.readInput(), ...rest] = positionals;
  if (text.trim() === '' || rest.length > 0)
    throw new UsageError(
      `Expected one argument with SQL, in quotes, or SQL on standard input, got ${positionals.length} arguments\n\n${help}`,
    );
  const { databaseUrl } = await findTarget(resolveDataDir(values['data-dir']), host.env);
  if (databaseUrl === null)
    throw new Error('No stack is running here and DATABASE_URL is not set: start one with npm start');
  await runSql(databaseUrl, text, (line) => console.log(line));
  return 0;
}
