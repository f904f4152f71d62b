import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { blocks, blocksIn, pages } from './docs/pages.ts';
import { localLinks, problemOf } from './docs/links.ts';
import { typeErrors } from './docs/type-check.ts';
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
});

test('TypeScript compiles', { timeout: 60_000 }, () => {
  expect(typeErrors([...blocksIn('ts'), ...blocksIn('tsx')])).toEqual([]);
});

test.each(blocksIn('json'))('the JSON of $where can be parsed', ({ code }) => {
  expect(() => void JSON.parse(code)).not.toThrow();
});
