import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { catalog } from '../src/jobs/catalog.ts';

const page = readFileSync(new URL('../docs/jobs.md', import.meta.url), 'utf8');

/** Cells of the page's table rows, by the type in the first. */
const rows = new Map(
  page
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .map(([, type = '', ...cells]) => [type.replaceAll('`', ''), cells] as const),
);

describe('docs/jobs.md', () => {
  test.each(catalog)(
    'says of $type what its definition says',
    ({ type, aliases, cron, functionId, lane }) => {
      const names = [...aliases.map((alias) => `\`${alias}\``), ...cron.map((times) => `cron \`${times}\``)];
      const expected = [names.length === 0 ? '–' : names.join(', '), functionId, lane];
      expect(rows.get(type)?.slice(0, 3)).toEqual(expected);
    },
  );

  test('lists no job that does not exist', () => {
    expect([...rows.keys()].toSorted()).toEqual(catalog.map(({ type }) => type).toSorted());
  });
});
