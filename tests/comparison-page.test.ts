import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const root = new URL('../', import.meta.url);
const page = readFileSync(new URL('docs/comparison.md', root), 'utf8');

/** The body rows of the page's tables, by the heading that each stands under. */
function tableUnder(heading: string): string[][] {
  const section = page.split(/^#+ /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  const lines = section.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** Whether a test or a group of tests of the file is called that, templates as they are written. */
function hasTitle(path: string, title: string): boolean {
  const source = readFileSync(new URL(path, root), 'utf8');
  return ["'", '"', '`'].some((quote) => source.includes(`${quote}${title}${quote},`));
}

const claims = tableUnder('What we do').map(([feature = '', file = '', title = '']) => ({
  feature,
  file: file.replaceAll('`', ''),
  title,
}));

describe('docs/comparison.md', () => {
  test('claims something', () => {
    expect(claims.length).toBeGreaterThan(30);
  });

  test.each(claims)('names a test that exists for "$feature"', ({ file, title }) => {
    expect(file).toMatch(/\.test\.ts$/);
    expect(title).not.toBe('');
    expect(existsSync(new URL(file, root))).toBe(true);
    expect(hasTitle(file, title)).toBe(true);
  });

  test.each(['Queues in a SQL database', 'Workflow engines and platforms'])(
    'compares only what it claims, in the words that it explains: %s',
    (heading) => {
      const rows = tableUnder(heading);
      expect(rows.length).toBeGreaterThan(10);
      const features = new Set(claims.map(({ feature }) => feature));
      expect(rows.map(([feature = '']) => feature).filter((feature) => !features.has(feature))).toEqual([]);
      const words = new Set(['yes', 'no', 'partly', 'paid', '–']);
      expect(rows.flatMap(([, ...cells]) => cells).filter((cell) => !words.has(cell))).toEqual([]);
    },
  );
});
