import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commandsIn, filesToCome, isMissingPath, payloadProblem, problemsOf } from './docs/commands.ts';
import { blocks, blocksIn, pages, spans } from './docs/pages.ts';
import { localLinks, problemOf } from './docs/links.ts';
import { syntaxErrors, typeErrors } from './docs/type-check.ts';
import { prepare, runAndUndo } from './docs/sql-blocks.ts';
import { createTestDatabase, type TestDatabase } from './support/database.ts';

/** What is done with the blocks of each language. */
const languages = ['sql', 'sh', 'ts', 'tsx', 'json', 'mermaid', 'text'];

test('every block of every page names a language that is checked here', () => {
  expect(blocks.filter(({ language }) => !languages.includes(language)).map(({ where }) => where)).toEqual(
    [],
  );
});

test('every link to a page, a file or a heading leads there', () => {
  const links = pages.flatMap(localLinks);
  expect(links.length).toBeGreaterThan(40);
  expect(links.map(problemOf).filter((problem) => problem !== null)).toEqual([]);
});

describe('SQL', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
    await prepare(database);
  });
  afterAll(() => database.close());

  // tests/operations-page.test.ts runs those of the runbook, on databases that have the symptoms.
  const pagesWithSql = [...new Set(blocksIn('sql').map(({ page }) => page))];
  test.each(pagesWithSql.filter((page) => page !== 'docs/operations.md'))(
    'of %s runs, from the first block to the last',
    async (page) => {
      const parts = blocksIn('sql').filter((block) => block.page === page);
      await runAndUndo(database.pool, parts);
    },
  );

  test('in sentences runs, too', async () => {
    const statements = spans.filter(({ text }) => /^(select|insert|update|delete) /.test(text));
    expect(statements.length).toBeGreaterThan(10);
    for (const { where, text } of statements) await runAndUndo(database.pool, [{ where, code: text }]);
  });
});

describe('commands', () => {
  const texts = [...blocksIn('sh').map(({ where, code }) => ({ where, text: code })), ...spans];
  const commands = texts.flatMap(({ where, text }) => commandsIn(where, text));

  test('name scripts, commands and flags that exist', async () => {
    expect(commands.length).toBeGreaterThan(60);
    expect((await Promise.all(commands.map(problemsOf))).flat()).toEqual([]);
  });

  test('carry payloads that their jobs take', () => {
    const toCome = filesToCome(commands);
    const problems = commands.map((command) => payloadProblem(command, toCome));
    expect(problems.filter((problem) => problem !== null)).toEqual([]);
  });

  test('and paths in sentences are there, or are written by one of them', () => {
    const toCome = filesToCome(commands);
    const missing = spans.filter(({ text }) => isMissingPath(text) && !toCome.includes(text));
    expect(missing.map(({ where, text }) => `${where}: ${text}`)).toEqual([]);
  });

  test.each(blocksIn('sh'))('of $where are what a shell can read', ({ code }) => {
    expect(spawnSync('bash', ['-n'], { input: code, encoding: 'utf8' }).stderr).toBe('');
  });
});

test('TypeScript compiles', () => {
  expect(typeErrors(blocksIn('ts'))).toEqual([]);
});

test.each(blocksIn('tsx'))('the component of $where can be parsed', (block) => {
  expect(syntaxErrors(block)).toEqual([]);
});

test.each(blocksIn('json'))('the JSON of $where can be parsed', ({ code }) => {
  expect(() => void JSON.parse(code)).not.toThrow();
});
