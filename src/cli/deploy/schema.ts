import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generatedTypesFile, generateTypes } from '../../local/generated-types.ts';
import { connect } from '../../local/external-database.ts';
import { migrate } from '../../local/migrate.ts';
import { startPostgres } from '../../local/postgres.ts';
import { createNodeLogger } from '../../runtime/node-logger.ts';
import { root } from '../command/data-dir.ts';
import { type Answer, failed, type Finding, ok, runChecks } from '../command/findings.ts';
import { lastWords, type SupabaseCli } from './supabase-cli.ts';

/** Checks of the migrations, on a Postgres of their own: a running stack is left alone. */
export async function withSchema(folder: string, cli: SupabaseCli): Promise<Finding[]> {
  const log = createNodeLogger({ level: 'error' });
  const server = await startPostgres({ dataDir: join(folder, 'postgres'), persistent: false, log });
  try {
    const empty = await emptyDatabase(server.url);
    return await runChecks({
      migrations: () => checkDryRun(cli, empty),
      'migrations applied': async () => {
        await migrate(server.url, log);
        return await checkUpToDate(cli, server.url);
      },
      advisors: () => checkAdvisors(cli, server.url),
      'generated types': () => checkTypes(server.url),
    });
  } finally {
    await server.stop();
  }
}

async function emptyDatabase(clusterUrl: string): Promise<string> {
  const client = await connect(clusterUrl);
  try {
    await client.query('create database empty');
  } finally {
    await client.end();
  }
  const url = new URL(clusterUrl);
  url.pathname = '/empty';
  return url.href;
}

const remote = (url: string): string => `--db-url=${url}?sslmode=disable`;

/** A new project gets every file. */
async function checkDryRun(cli: SupabaseCli, url: string): Promise<Answer[]> {
  const end = await cli(['db', 'push', '--dry-run', '--output-format', 'json', remote(url)]);
  if (end.code !== 0)
    return [failed(`supabase db push --dry-run: ${lastWords(end)}`, 'mend what the CLI names')];
  const { migrations } = JSON.parse(end.stdout) as { migrations: string[] };
  const files = (await readdir(join(root, 'supabase/migrations'))).filter((file) => file.endsWith('.sql'));
  const missing = files.filter((file) => !migrations.includes(file));
  return missing.length === 0
    ? [ok(`supabase db push would apply all ${files.length} files to an empty project`)]
    : [failed(`supabase db push leaves out ${missing.join(', ')}`, 'name it <version>_<name>.sql')];
}

/** What `npm start -- --migrate` applies, the CLI counts as applied. */
async function checkUpToDate(cli: SupabaseCli, url: string): Promise<Answer[]> {
  const end = await cli(['db', 'push', '--dry-run', '--output-format', 'json', remote(url)]);
  if (end.code !== 0)
    return [failed(`supabase db push --dry-run: ${lastWords(end)}`, 'mend what the CLI names')];
  const { upToDate } = JSON.parse(end.stdout) as { upToDate: boolean };
  return upToDate
    ? [ok('all apply; supabase db push finds nothing left to do')]
    : [
        failed(
          'supabase db push does not know what was applied here',
          'compare supabase_migrations.schema_migrations',
        ),
      ];
}

interface Advice {
  level: string;
  title: string;
  detail: string;
}

async function checkAdvisors(cli: SupabaseCli, url: string): Promise<Answer[]> {
  const end = await cli(['db', 'advisors', '--level', 'warn', '--output-format', 'json', remote(url)]);
  if (end.code !== 0) return [failed(`supabase db advisors: ${lastWords(end)}`, 'mend what the CLI names')];
  const { results } = JSON.parse(end.stdout) as { results: Advice[] };
  return results.length === 0
    ? [ok('supabase db advisors: no warnings')]
    : results.map(({ title, detail }) =>
        failed(`${title}: ${detail.slice(0, 160)}`, 'mend it in a new migration'),
      );
}

async function checkTypes(url: string): Promise<Answer[]> {
  const kept = await readFile(generatedTypesFile, 'utf8');
  return (await generateTypes(url)) === kept
    ? [ok('src/database/generated-types.ts is what the migrations make')]
    : [
        failed(
          'src/database/generated-types.ts is not what the migrations make',
          'npm run types:generate, and commit it',
        ),
      ];
}
