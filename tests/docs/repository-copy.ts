import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { vi } from 'vitest';
import { root } from '../support/imports.ts';

export interface RepositoryCopy {
  /** Starts the stack there, on whatever ports are free. */
  start(): Promise<void>;
  /**
   * Runs a block as a reader pastes it, in this folder, with the addresses and the key of the stack.
   * @throws {Error} with what it printed, when a command of it fails
   */
  run(code: string): Promise<string>;
  remove(): Promise<void>;
}

const copied = [
  ...['src', 'docs', 'netlify', 'supabase', 'package.json', 'netlify.toml', 'deno.json'],
  ...['.prettierrc.json', '.editorconfig'],
];

/** A clone of one's own, in which a stack may run and files may be written. */
export async function copyRepository(): Promise<RepositoryCopy> {
  const folder = await mkdtemp(join(tmpdir(), 'docs-'));
  // Postgres runs under an account of its own where we are root, and has to get to its folder.
  await chmod(folder, 0o755);
  for (const entry of copied) await cp(join(root, entry), join(folder, entry), { recursive: true });
  for (const entry of ['node_modules', 'dashboard']) await symlink(join(root, entry), join(folder, entry));
  let stop = (): Promise<unknown> => Promise.resolve();
  let adapt = (code: string): string => code;
  let env: Record<string, string> = {};
  return {
    async start() {
      stop = await startStack(folder);
      const state = await readState(folder);
      env = { KEY: state.env['SUPABASE_SECRET_KEY'] ?? '' };
      const jobId = await prepare(state.databaseUrl);
      adapt = (code) =>
        code
          .replaceAll('http://127.0.0.1:8888', new URL(state.inngestUrl).origin)
          .replaceAll('http://127.0.0.1:54321', state.env['SUPABASE_URL'] ?? '')
          .replaceAll(exampleJob, jobId)
          .replaceAll(/"(…|<id>)"/g, `"${exampleRepository}"`);
    },
    run: async (code) => await runBash(folder, adapt(code), env),
    async remove() {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function startStack(folder: string): Promise<() => Promise<unknown>> {
  const child = spawn(process.execPath, ['src/cli/start.ts'], { cwd: folder, env: environment() });
  const ended = once(child, 'close');
  let output = '';
  let hasEnded = false;
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += String(data)));
  void ended.then(() => (hasEnded = true));
  await vi.waitUntil(() => hasEnded || output.includes('Ctrl-C stops everything.'), {
    timeout: 120_000,
    interval: 50,
  });
  if (hasEnded) throw new Error(`npm start ended:\n${output}`);
  return () => {
    child.kill('SIGTERM');
    return ended;
  };
}

interface State {
  env: Record<string, string>;
  inngestUrl: string;
  databaseUrl: string;
}

async function readState(folder: string): Promise<State> {
  return JSON.parse(await readFile(join(folder, '.local/stack.json'), 'utf8')) as State;
}

const exampleJob = '01a200da-feb4-7c42-b7d7-04879a5712f2';
const exampleRepository = '0199aaaa-0000-7000-8000-000000000001';

/** What the examples take for granted. @returns the id of a job that waits to be named */
async function prepare(databaseUrl: string): Promise<string> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(
      `insert into repositories (id, github_id, owner, name) values ($1, 1, 'octo-org', 'hello-hybrid')`,
      [exampleRepository],
    );
    const job = `[{"type": "system/ping", "lane": "edge", "run_at": "2100-01-01T00:00:00Z", "expires_at": "2100-01-02T00:00:00Z"}]`;
    const { rows } = await client.query<{ id: string }>('select id from enqueue_background_jobs($1)', [job]);
    return rows[0]?.id ?? '';
  } finally {
    await client.end();
  }
}

/** As npm runs a script, without npm's half second; and a curl that fails where the answer says that something is wrong. */
const shell = `
npm() { shift; local script=$1; shift; [ "\${1:-}" != -- ] || shift; node "src/cli/$script.ts" "$@"; }
curl() { command curl --silent --fail-with-body "$@"; }
`;

async function runBash(folder: string, code: string, env: Record<string, string>): Promise<string> {
  // Most of a command's time is the reading of the same sources.
  const cache = { NODE_COMPILE_CACHE: join(folder, '.local/compiled') };
  const options = { cwd: folder, env: { ...environment(), ...cache, ...env } };
  const { stdout, stderr } = await promisify(execFile)(
    'bash',
    // Where its input is a socket, bash takes itself for a remote shell and reads a bashrc.
    ['--norc', '-euo', 'pipefail', '-c', shell + code],
    options,
  ).catch((error: unknown) => {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${code}\n${stdout}${stderr}`, { cause: error });
  });
  return stdout + stderr;
}

function environment(): Record<string, string> {
  return {
    PATH: `${join(root, 'node_modules/.bin')}:${process.env['PATH']}`,
    HOME: process.env['HOME'] ?? '',
  };
}
