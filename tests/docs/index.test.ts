import { expect, test } from 'vitest';
import { defineJob } from '../../src/jobs/define-job.ts';
import { z } from 'zod';
import { localLinks } from './links.ts';
import { pageAt, pages } from './pages.ts';
import { tableRows } from './tables.ts';

const inDocs = pages.filter(({ path }) => /^docs\/[^/]+\.md$/.test(path));

test('the index names every page, and the README leads to it', () => {
  const listed = localLinks(pageAt('docs/README.md')).map(({ target }) => `docs/${target}`);
  const others = inDocs.map(({ path }) => path).filter((path) => path !== 'docs/README.md');
  expect(listed.filter((path) => path.endsWith('.md') && !path.includes('..')).toSorted()).toEqual(others);
  expect(localLinks(pageAt('README.md')).map(({ target }) => target)).toContain('docs/README.md');
});

test('the glossary explains each word once, in order, and only words that other pages use', () => {
  const words = tableRows(pageAt('docs/glossary.md')).map(({ word = '' }) => word);
  expect(words.length).toBeGreaterThan(30);
  expect(words).toEqual([...new Set(words)].toSorted());
  const text = inDocs
    .filter(({ path }) => path !== 'docs/glossary.md')
    .map((page) => page.text)
    .join('\n');
  expect(words.filter((word) => !new RegExp(`\\b${word}`, 'i').test(text))).toEqual([]);
});

test('the page about adding a job has every part of a definition, with its default', () => {
  const least = { type: 'a/b', payload: z.object({}), run: () => Promise.resolve() };
  const definition: Record<string, unknown> = { ...defineJob(least) };
  const rows = tableRows(pageAt('docs/adding-a-job.md')).filter(({ field }) => field !== undefined);
  expect(rows.map(({ field }) => field).toSorted()).toEqual(Object.keys(definition).toSorted());
  for (const { field = '', default: written = '' } of rows) {
    if (field in least) expect(written).toBe('');
    else if (!written.startsWith('the type')) expect(JSON.parse(written)).toEqual(definition[field]);
  }
});
