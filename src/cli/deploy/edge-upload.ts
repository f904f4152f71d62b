import { execFile } from 'node:child_process';
import { readdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { denoPath } from '../../local/deno-path.ts';
import { type Answer, failed, ok } from '../command/findings.ts';
import { startManagementApi } from './management-api.ts';
import { lastWords, type SupabaseCli } from './supabase-cli.ts';

/** The CLI checks the form of both, not more. */
const project = 'abcdefghijklmnopqrst';
const token = `sbp_${'0'.repeat(40)}`;

/** Has the CLI deploy all Edge Functions to a stand-in, and compares what it uploads with what Deno would load. */
export async function checkEdgeUpload(root: string, folder: string, cli: SupabaseCli): Promise<Answer[]> {
  const api = await startManagementApi();
  try {
    const profile = join(folder, 'profile.yaml');
    await writeFile(profile, profileOf(api.url));
    const end = await cli(
      ['functions', 'deploy', '--use-api', `--project-ref=${project}`, '--profile', profile],
      {
        SUPABASE_ACCESS_TOKEN: token,
      },
    );
    if (end.code !== 0)
      return [failed(`supabase functions deploy: ${lastWords(end)}`, 'mend what the CLI names')];
    const names = await functionNames(root);
    return await Promise.all(names.map((name) => compare(root, name, api.uploads.get(name) ?? [])));
  } finally {
    await api.close();
  }
}

const profileOf = (url: string): string =>
  `name: stand-in\napi_url: ${url}\ndashboard_url: ${url}\nproject_host: localhost\n`;

async function functionNames(root: string): Promise<string[]> {
  const entries = await readdir(join(root, 'supabase/functions'), { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

async function compare(root: string, name: string, uploaded: readonly string[]): Promise<Answer> {
  const needed = [`supabase/functions/${name}/deno.json`, ...(await importGraph(root, name))];
  const missing = needed.filter((file) => !uploaded.includes(file));
  if (missing.length === 0) return ok(`${name}: all ${needed.length} files of its import graph are uploaded`);
  return failed(
    `${name}: ${missing.length} of ${needed.length} files are not uploaded, such as ${missing[0]}`,
    'the CLI finds imports by their text: write specifiers as plain strings, with the extension',
  );
}

/** The files of this repository that Deno loads for a function; nothing is left of a declaration at run time. */
async function importGraph(root: string, name: string): Promise<string[]> {
  const entry = join('supabase/functions', name, 'index.ts');
  const { stdout } = await promisify(execFile)(denoPath, ['info', '--json', entry], {
    cwd: root,
    maxBuffer: 64 * 1024 * 1024,
  });
  const { modules } = JSON.parse(stdout) as { modules: { specifier: string; error?: string }[] };
  const broken = modules.find(({ error }) => error !== undefined);
  if (broken) throw new Error(`${entry} imports ${broken.specifier}: ${broken.error}`);
  return modules
    .filter(({ specifier }) => /^file:(?!.*\/node_modules\/)(?!.*\.d\.ts$)/.test(specifier))
    .map(({ specifier }) => relative(root, fileURLToPath(specifier)));
}
