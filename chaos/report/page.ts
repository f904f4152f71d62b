import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import type { TrialResult } from '../trial.ts';
import { cells, columns } from './table.ts';

const page = fileURLToPath(new URL('../../docs/reliability.md', import.meta.url));
const [begin, end] = ['<!-- results -->', '<!-- /results -->'];

/**
 * Puts the results between the marks of docs/reliability.md.
 * @param command - by which they were got
 * @returns the page's path
 * @throws {Error} the marks are missing
 */
export async function writePage(
  results: readonly TrialResult[],
  summary: string,
  command: string,
): Promise<string> {
  const text = await readFile(page, 'utf8');
  const [before, rest] = text.split(begin);
  const [, after] = (rest ?? '').split(end);
  if (before === undefined || after === undefined) throw new Error(`${page}: expected ${begin} and ${end}`);
  const date = new Date().toISOString().slice(0, 10);
  const parts = [`\`${command}\`, ${date}. ${summary}.`, table(results), meanings(results)];
  const written = `${before}${begin}\n\n${parts.join('\n\n')}\n\n${end}${after}`;
  await writeFile(page, await format(written, { ...(await resolveConfig(page)), parser: 'markdown' }));
  return page;
}

function table(results: readonly TrialResult[]): string {
  const rows = [columns, columns.map((_, index) => (index === 0 ? '---' : '--:')), ...results.map(cells)];
  return rows.map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function meanings(results: readonly TrialResult[]): string {
  return results.map(({ fault, what }) => `- **${fault}**: ${what}.`).join('\n');
}
