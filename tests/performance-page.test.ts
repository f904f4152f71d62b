import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { reportFiles } from '../bench/report/report.ts';

const files = await reportFiles();

describe('docs/performance.md', () => {
  test.each([...files])(
    '%s is what the newest results give (npm run bench -- report writes it)',
    (path, text) => {
      expect(readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')).toBe(text);
    },
  );

  test('says of each section what is not fair', () => {
    const page = files.get('docs/performance.md') ?? '';
    const measured = page.match(/^\d{4}-\d\d-\d\d at commit /gm) ?? [];
    expect(measured.length).toBeGreaterThan(0);
    expect(page.match(/^What is not fair/gm)).toHaveLength(measured.length);
  });
});
