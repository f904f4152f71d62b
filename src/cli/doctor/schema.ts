import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { catalog } from '../../jobs/catalog.ts';
import { root } from '../command/data-dir.ts';
import { failed, ok, warning } from '../command/findings.ts';
import { type Check, noDatabase } from './patient.ts';

/** Compares the files of `supabase/migrations` with what the database has recorded. */
export const checkSchema: Check = async ({ database }) => {
  if (!database) return noDatabase;
  const expected = await versions();
  const [history] = await database.query<{ known: boolean }>(
    `select to_regclass('supabase_migrations.schema_migrations') is not null as known`,
  );
  const applied = history?.known
    ? await database.query<{ version: string }>('select version from supabase_migrations.schema_migrations')
    : [];
  const known = new Set(applied.map(({ version }) => version));
  const missing = expected.filter((version) => !known.has(version));
  if (missing.length > 0)
    return [
      failed(
        `${missing.length} of ${expected.length} migrations are not applied, the first is ${missing[0]}`,
        'apply them: supabase db push',
      ),
    ];
  const newer = [...known].filter((version) => version > (expected.at(-1) ?? ''));
  if (newer.length > 0)
    return [
      warning(
        `the database has ${newer.length} migrations that this folder has not`,
        'deploy the version that made them, or look with that version',
      ),
    ];
  return [ok(`${expected.length} migrations, the last is ${expected.at(-1)}`)];
};

async function versions(): Promise<string[]> {
  const files = await readdir(join(root, 'supabase/migrations'));
  return files.flatMap((file) => /^(\d+)_.*\.sql$/.exec(file)?.[1] ?? []).sort();
}

/** What each extension is for, and what becomes of a deployment without it. */
const extensions = [
  { name: 'pg_cron', without: 'nobody sweeps inside the database' },
  { name: 'pg_net', without: 'the database cannot wake process-job' },
  { name: 'supabase_vault', without: 'the database has no place for the key that wakes process-job' },
  { name: 'vector', without: 'similar items are searched without an index' },
];

export const checkExtensions: Check = async ({ database, isLocalStack }) => {
  if (!database) return noDatabase;
  const rows = await database.query<{ name: string; installed: boolean; available: boolean }>(
    `select n.name, exists (select from pg_extension e where e.extname = n.name) as installed,
       exists (select from pg_available_extensions a where a.name = n.name) as available
     from unnest($1::text[]) as n (name)`,
    [extensions.map(({ name }) => name)],
  );
  const missing = rows.filter(({ installed }) => !installed);
  if (missing.length === 0) return [ok(rows.map(({ name }) => name).join(', '))];
  // There the stack's own process does what they do.
  if (isLocalStack)
    return [ok(`without ${missing.map(({ name }) => name).join(', ')}, as every local stack`)];
  return missing.map(({ name, available }) =>
    warning(
      `${name} is missing: ${extensions.find((each) => each.name === name)?.without}`,
      available ? `create extension ${name};` : 'this server does not offer it: see the wake path',
    ),
  );
};

/** The endpoint mirrors them at its first request, the worker when it starts. */
export const checkJobTypes: Check = async ({ database }) => {
  if (!database) return noDatabase;
  const rows = await database.query<{ type: string; paused: boolean }>(
    'select type, paused from public.job_types',
  );
  const known = new Set(rows.map(({ type }) => type));
  const missing = catalog.filter(({ type }) => !known.has(type)).map(({ type }) => type);
  const paused = rows.filter((row) => row.paused).map(({ type }) => type);
  return [
    missing.length === 0
      ? ok(`${catalog.length} job types are known to the database`)
      : warning(
          `the database does not know ${missing.slice(0, 3).join(', ')}${missing.length > 3 ? ` and ${missing.length - 3} more` : ''}`,
          'call the endpoint once (a GET will do), or start the worker: they mirror the catalog',
        ),
    ...(paused.length === 0
      ? []
      : [warning(`paused: ${paused.join(', ')}`, 'npm run jobs -- resume <type>, when it is time')]),
  ];
};
