import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { runCli } from './support/cli.ts';

/** A folder on which no stack runs. */
let dataDir: string;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'commands-'));
});
afterAll(() => rm(dataDir, { recursive: true, force: true }));

async function run(command: string, args: string[], env: Record<string, string> = {}) {
  const running = runCli(command, args, env);
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
])('%s %j is refused with exit code 2 and the reason', async (command, args, reason) => {
  const { code, output } = await run(command, args);
  expect(code).toBe(2);
  expect(output).toContain(reason);
  expect(output).not.toContain('    at ');
});

test.each(['start', 'send', 'sql'])('%s --help shows examples', async (command) => {
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
