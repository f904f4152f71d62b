import { expect, test } from 'vitest';
import { startSection } from '../bench/start-section.ts';

test('a section of the benchmark that fails says so, and the next ones can still be measured', async () => {
  expect(await startSection('no such section', true)).toBe(false);
});
