import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { runCli } from './support/cli.ts';

/** A folder on which no stack runs. */
let dataDir: string;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'commands-'));
});
afterAll(() => rm(dataDir, { recursive: true, force: true }));

async function run(command: string, args: string[], env: Record<string, string> = {}, input?: string) {
  const running = runCli(command, args, env, input);
  return { code: await running.ended, output: running.output() };
}

test.each([
  ['start', ['--demos'], "Unknown option '--demos'"],
  ['start', ['now'], "Unexpected argument 'now'"],
  ['send', [], 'Expected an event name'],
  ['send', ['system/ping', '{hello}'], 'expected JSON, got {hello}'],
  ['send', ['system/ping', '[1]'], 'expected a JSON object'],
  ['send', ['system/pong', '{}'], 'Unknown event system/pong'],
  ['send', ['--loud'], "Unknown option '--loud'"],
  ['sql', [], 'Expected one argument with SQL'],
  ['sql', ['select', '1'], 'got 2 arguments'],
  ['jobs', [], 'Expected a command'],
  ['jobs', ['plan'], 'Unknown command "plan"'],
  ['jobs', ['schedule'], 'Expected one of schedule list'],
  ['jobs', ['schedule', 'set', 'a', '--type', 'system/pong'], 'unknown job type system/pong'],
  ['jobs', ['list', '--status', 'done'], '--status: expected queued'],
  ['deploy-check', ['--only', 'moon'], '--only: expected redirects, netlify, edge or schema, got "moon"'],
])('%s %j is refused with exit code 2 and the reason', async (command, args, reason) => {
  const { code, output } = await run(command, args);
  expect(code).toBe(2);
  expect(output).toContain(reason);
  expect(output).not.toContain('    at ');
});

test.each(['start', 'send', 'sql', 'worker', 'jobs'])('%s --help shows examples', async (command) => {
  const { code, output } = await run(command, ['--help']);
  expect(code).toBe(0);
  expect(output).toMatch(new RegExp(`^ {2}npm (run )?${command} -- `, 'm'));
});

test('send and sql say what is missing when no stack runs', async () => {
  const sent = await run('send', ['--data-dir', dataDir, 'system/ping']);
  expect(sent.code).toBe(1);
  expect(sent.output).toContain('start a stack with npm start');
  expect(sent.output).toContain('SUPABASE_URL');
  const asked = await run('sql', ['--data-dir', dataDir, 'select 1']);
  expect(asked.code).toBe(1);
  expect(asked.output).toContain('start one with npm start');
});

test('deploy:check --help shows examples', async () => {
  const { code, output } = await run('deploy-check', ['--help']);
  expect(code).toBe(0);
  expect(output).toMatch(/^ {2}npm run deploy:check -- /m);
});

test('hybrid-jobs is the same command', async () => {
  const bin = fileURLToPath(new URL('../bin/hybrid-jobs.js', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [bin, 'list', '--help']);
  expect(stdout).toContain('npm run jobs -- list --status failed');
  const refused = promisify(execFile)(process.execPath, [bin, 'lists']);
  await expect(refused).rejects.toMatchObject({ code: 2 });
});

test('jobs says what is missing when no stack runs', async () => {
  const { code, output } = await run('jobs', ['schedule', 'list', '--data-dir', dataDir]);
  expect(code).toBe(1);
  expect(output).toContain('start one with npm start');
});

test('sql prints rows as tables, commands as counts, and notices', async () => {
  const statements = `select 1 as one, null as nothing, '{"a": 1}'::jsonb as json;
    create temp table t (x int); insert into t values (1), (2); do $$ begin raise notice 'mind this'; end $$`;
  const { code, output } = await run('sql', ['--data-dir', dataDir, statements], {
    DATABASE_URL: inject('clusterUrl'),
  });
  expect(code).toBe(0);
  expect(output).toMatch(/│ one │ nothing │ json +│/);
  expect(output).toMatch(/│ 1 +│ +│ {"a": 1} │/);
  expect(output).toContain('INSERT 2');
  expect(output).toContain('NOTICE: mind this');
});

test('sql shows the error of the server', async () => {
  const { code, output } = await run('sql', ['--data-dir', dataDir, 'select 1/0'], {
    DATABASE_URL: inject('clusterUrl'),
  });
  expect(code).toBe(1);
  expect(output).toContain('division by zero');
});

test('sql reads standard input, where the quotes of JSON need no care', async () => {
  const input = `select '{"a": "it is"}'::jsonb ->> 'a' as answer;\n`;
  const { code, output } = await run(
    'sql',
    ['--data-dir', dataDir],
    { DATABASE_URL: inject('clusterUrl') },
    input,
  );
  expect(code).toBe(0);
  expect(output).toMatch(/│ it is +│\n.*\n\(1 row\)/);
});

test.each(['start', 'sql'])(
  '%s names a DATABASE_URL that leads nowhere, without its password',
  async (command) => {
    const args = ['--data-dir', dataDir, ...(command === 'sql' ? ['select 1'] : [])];
    const refused = await run(command, args, { DATABASE_URL: 'postgres://me:hunter2@127.0.0.1:1/jobs' });
    expect(refused.code).toBe(1);
    expect(refused.output).toContain('cannot connect to postgres://me:***@127.0.0.1:1/jobs');
    expect(refused.output).toContain('because: connect ECONNREFUSED');
    const malformed = await run(command, args, { DATABASE_URL: 'mysql://me:hunter2@db/jobs' });
    expect(malformed.code).toBe(1);
    expect(malformed.output).toContain('DATABASE_URL: expected a postgres:// URL');
    expect(refused.output + malformed.output).not.toMatch(/hunter2|    at /);
  },
);
