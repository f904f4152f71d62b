import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { check, resolveConfig } from 'prettier';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { processesOn, runProgram, type RunningCommand } from './support/cli.ts';
import { root } from './support/imports.ts';

/**
 * What somebody does who cloned the repository: `npm run jobs -- new`, `npm start`, and the new job runs. In a copy of
 * what git would give them. What `new` writes is, but for the names, the example in `src/jobs/example`, which every
 * check and test of this repository sees.
 */

/** A fresh clone after `npm install`; nothing is written outside of it. */
let clone: string;
let stack: RunningCommand | undefined;

beforeAll(async () => {
  clone = await mkdtemp(join(tmpdir(), 'newcomer-'));
  // Postgres runs under an account of its own where we are root, and has to get to its folder.
  await chmod(clone, 0o755);
  for (const file of await filesOfTheRepository()) await cp(join(root, file), join(clone, file));
  await symlink(join(root, 'node_modules'), join(clone, 'node_modules'));
});
afterAll(async () => {
  stack?.signal('SIGINT');
  await stack?.ended;
  expect(processesOn(clone)).toEqual([]);
  await rm(clone, { recursive: true, force: true });
});

/** Those that git has, and those that it would take in. */
async function filesOfTheRepository(): Promise<string[]> {
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const { stdout } = await promisify(execFile)('git', list, { cwd: root, maxBuffer: 10_000_000 });
  return stdout.split('\0').filter((file) => file !== '' && existsSync(join(root, file)));
}

function npm(...args: string[]): RunningCommand {
  const env = { npm_config_update_notifier: 'false' };
  return runProgram('npm', args, { cwd: clone, env, isForeground: true });
}

async function ended(command: RunningCommand): Promise<{ code: unknown; output: string }> {
  return { code: await command.ended, output: command.output() };
}

const node = async (...args: string[]) => await ended(runProgram(process.execPath, args, { cwd: clone }));
/** What `npm run jobs` runs. */
const jobs = async (...args: string[]) => await node('src/cli/jobs.ts', ...args);
const text = async (folder: string, file: string): Promise<string> =>
  await readFile(join(folder, file), 'utf8');

const written = [
  'src/jobs/metrics/stars-count.ts',
  'src/jobs/metrics/stars-count.test.ts',
  'src/jobs/catalog.ts',
  'docs/jobs.md',
];

describe('npm run jobs -- new', () => {
  test('writes the example under the names of the new job, formatted', async () => {
    const made = await ended(npm('run', 'jobs', '--', 'new', 'metrics/stars.count'));
    expect(made.code, made.output).toBe(0);
    for (const file of written) {
      expect(made.output).toContain(file);
      const config = { ...(await resolveConfig(join(root, file))), filepath: file };
      expect(await check(await text(clone, file), config), `${file} is formatted`).toBe(true);
    }
    for (const ending of ['.ts', '.test.ts']) {
      const example = await text(root, `src/jobs/example/greeting-send${ending}`);
      const renamed = example
        .replaceAll('example/greeting.send', 'metrics/stars.count')
        .replaceAll('greetingSend', 'starsCount')
        .replaceAll('greeting-send', 'stars-count')
        .replaceAll('Greeting send', 'Stars count');
      expect(await text(clone, `src/jobs/metrics/stars-count${ending}`)).toBe(renamed);
    }
  });

  test('makes the job one of the catalog, and a row of the page of jobs', async () => {
    const script = `const { catalog } = await import('./src/jobs/catalog.ts');
      const { type, lane, functionId } = catalog.find(({ type }) => type === 'metrics/stars.count');
      console.log(type, lane, functionId)`;
    const { output } = await node('--input-type=module', '--eval', script);
    expect(output).toBe('metrics/stars.count edge metrics-stars-count\n');
    expect(await text(clone, 'docs/jobs.md')).toMatch(
      /^\| `metrics\/stars\.count` \| – +\| metrics-stars-count \| edge \|/m,
    );
  });

  test('appends to what it made, and overwrites nothing', async () => {
    const second = await jobs('new', 'metrics/forks.count', '--lane', 'inline', '--json');
    expect(JSON.parse(second.output)).toMatchObject({ type: 'metrics/forks.count' });
    const page = await text(clone, 'docs/jobs.md');
    expect(page.match(/^## Your own$/gm)).toHaveLength(1);
    expect(page).toMatch(/`metrics\/forks\.count` .* inline /);
    const again = await jobs('new', 'metrics/forks-count');
    expect(again).toEqual({ code: 2, output: 'type: src/jobs/metrics/forks-count.ts is there already\n' });
    const catalog = await text(clone, 'src/jobs/catalog.ts');
    expect(catalog.match(/\b(stars|forks)CountJob\b/g)).toHaveLength(4);
  });
});

describe('the new job', () => {
  test('passes its own test, and completes on the local stack', async () => {
    stack = npm('start');
    // Its cache would be put into node_modules, which the copy shares.
    const ownTest = npm('exec', '--', 'vitest', 'run', '--no-cache', 'src/jobs/metrics/stars-count.test.ts');
    await stack.printed('Ctrl-C stops everything.');

    const payload = JSON.stringify({ name: 'newcomer' });
    const enqueued = await jobs('enqueue', 'metrics/stars.count', payload, '--wait', '--json');
    expect(enqueued.code, enqueued.output).toBe(0);
    const { id } = JSON.parse(enqueued.output) as { id: string };
    const shown = await jobs('show', id, '--json');
    expect(JSON.parse(shown.output)).toMatchObject({
      type: 'metrics/stars.count',
      lane: 'edge',
      status: 'completed',
      result: { greeting: 'Hello, newcomer!' },
      steps: [{ name: 'greet' }],
    });

    const sent = await jobs('send', 'metrics/forks.count', payload);
    expect(sent.output).toContain('"status": "completed"');
    expect(await ended(ownTest)).toMatchObject({
      code: 0,
      output: expect.stringMatching(/2 passed/) as string,
    });
  });
});
