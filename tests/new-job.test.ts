import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { check, resolveConfig } from 'prettier';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root } from './support/imports.ts';

/**
 * `npm run jobs -- new` in a copy of the repository. What it writes is, but for the names, the example in
 * `src/jobs/example`, which every check and test of this repository sees.
 */

let copy: string;

const copied = ['src', 'docs', 'package.json', '.prettierrc.json', '.editorconfig'];

beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), 'new-job-'));
  for (const entry of copied) await cp(join(root, entry), join(copy, entry), { recursive: true });
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
});
afterAll(() => rm(copy, { recursive: true, force: true }));

/** Runs Node in the copy. */
async function node(...args: string[]): Promise<{ code: number; output: string }> {
  return await promisify(execFile)(process.execPath, args, { cwd: copy }).then(
    ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
    ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({
      code,
      output: stdout + stderr,
    }),
  );
}

const jobsNew = async (...args: string[]) => await node('src/cli/jobs.ts', 'new', ...args);
const text = async (folder: string, file: string): Promise<string> =>
  await readFile(join(folder, file), 'utf8');

const written = [
  'src/jobs/metrics/stars-count.ts',
  'src/jobs/metrics/stars-count.test.ts',
  'src/jobs/catalog.ts',
  'docs/jobs.md',
];

describe('new', () => {
  test('writes the example under the names of the new job, formatted', async () => {
    const made = await jobsNew('metrics/stars.count');
    expect(made.code, made.output).toBe(0);
    for (const file of written) {
      expect(made.output).toContain(file);
      const config = { ...(await resolveConfig(join(root, file))), filepath: file };
      expect(await check(await text(copy, file), config), `${file} is formatted`).toBe(true);
    }
    for (const ending of ['.ts', '.test.ts']) {
      const example = await text(root, `src/jobs/example/greeting-send${ending}`);
      const renamed = example
        .replaceAll('example/greeting.send', 'metrics/stars.count')
        .replaceAll('greetingSend', 'starsCount')
        .replaceAll('greeting-send', 'stars-count')
        .replaceAll('Greeting send', 'Stars count');
      expect(await text(copy, `src/jobs/metrics/stars-count${ending}`)).toBe(renamed);
    }
  });

  test('makes the job one of the catalog, and a row of the page of jobs', async () => {
    const script = `const { catalog } = await import('./src/jobs/catalog.ts');
      const { type, lane, functionId } = catalog.find(({ type }) => type === 'metrics/stars.count');
      console.log(type, lane, functionId)`;
    const { output } = await node('--input-type=module', '--eval', script);
    expect(output).toBe('metrics/stars.count edge metrics-stars-count\n');
    expect(await text(copy, 'docs/jobs.md')).toMatch(
      /^\| `metrics\/stars\.count` \| – +\| metrics-stars-count \| edge \|/m,
    );
  });

  test('appends to what it made, and overwrites nothing', async () => {
    const second = await jobsNew('metrics/forks.count', '--lane', 'inline', '--json');
    expect(JSON.parse(second.output)).toMatchObject({ type: 'metrics/forks.count' });
    const page = await text(copy, 'docs/jobs.md');
    expect(page.match(/^## Your own$/gm)).toHaveLength(1);
    expect(page).toMatch(/`metrics\/forks\.count` .* inline /);
    const again = await jobsNew('metrics/forks-count');
    expect(again).toEqual({ code: 2, output: 'type: src/jobs/metrics/forks-count.ts is there already\n' });
    const catalog = await text(copy, 'src/jobs/catalog.ts');
    expect(catalog.match(/\b(stars|forks)CountJob\b/g)).toHaveLength(4);
  });
});
