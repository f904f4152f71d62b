import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readCommandLine, UsageError } from '../command/command-line.ts';
import { root } from '../command/data-dir.ts';
import { exitCodeOf, type Finding, findingsTable, runChecks, skipped } from '../command/findings.ts';
import { readChoice } from '../jobs/operands.ts';
import { checkEdgeUpload } from './edge-upload.ts';
import { checkNetlifyBundles } from './netlify-bundles.ts';
import { checkRedirects } from './redirects.ts';
import { withSchema } from './schema.ts';
import { createSupabaseCli } from './supabase-cli.ts';

const help = `Does on this machine what a deploy would do, as far as that goes without an account: bundles the Netlify functions and calls
them, has the Supabase CLI upload the Edge Functions to a stand-in, push the migrations (dry run) and ask its advisors, and
compares the generated types and the redirects of netlify.toml.

  npm run deploy:check
  npm run deploy:check -- --only schema,edge --json

  --only text   some of redirects, netlify, edge, schema; default all
  --json        for programs
  --help        this text

Exit code 1 when a check failed. What cannot be checked here is told as skipped.`;

const options = { json: { type: 'boolean', default: false }, only: { type: 'string' } } as const;

const parts = ['redirects', 'netlify', 'edge', 'schema'] as const;
type Part = (typeof parts)[number];

export interface DeployCheckHost {
  args: string[];
  /** Where programs are. */
  path: string;
  print: (text: string) => void;
}

/** `npm run deploy:check`: @returns the exit code */
export async function deployCheck(host: DeployCheckHost): Promise<number> {
  const { values, positionals } = readCommandLine(host.args, options, help);
  if (positionals.length > 0)
    throw new UsageError(`Expected no arguments, got ${positionals.length}\n\n${help}`);
  const wanted = values.only === undefined ? parts : readParts(values.only);
  const folder = await mkdtemp(join(tmpdir(), 'deploy-check-'));
  try {
    const findings = await look(wanted, folder, host.path);
    host.print(values.json ? JSON.stringify({ findings }, null, 2) : findingsTable(findings));
    return exitCodeOf(findings);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function readParts(text: string): Part[] {
  return text.split(',').map((name) => readChoice('--only', name.trim(), parts));
}

async function look(wanted: readonly Part[], folder: string, path: string): Promise<Finding[]> {
  const cli = createSupabaseCli({ root, home: folder, path });
  const looks: Record<Part, () => Promise<Finding[]>> = {
    redirects: () => runChecks({ 'Netlify redirects': () => checkRedirects(root) }),
    netlify: () => runChecks({ 'Netlify functions': () => checkNetlifyBundles(root, folder) }),
    edge: () => runChecks({ 'Edge Functions': () => checkEdgeUpload(root, folder, cli) }),
    schema: () => withSchema(folder, cli),
  };
  const findings: Finding[] = [];
  for (const part of wanted) findings.push(...(await looks[part]()));
  return [...findings, ...beyond.map((answer) => ({ check: 'not checked here', ...answer }))];
}

const beyond = [
  skipped(
    'pg_cron, pg_net and Vault: the Postgres of this check has none',
    'after the deploy: npm run jobs -- doctor',
  ),
  skipped('keys, secrets and the registration with Inngest', 'after the deploy: npm run jobs -- doctor'),
  skipped("Supabase's own bundling of the uploaded files", 'the CLI says so when the real deploy fails'),
  skipped(
    'supabase db lint: it needs the extension plpgsql_check',
    'supabase db lint --linked, after the push',
  ),
];
