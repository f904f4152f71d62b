import { mkdir, writeFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';
import { sections } from '../sections.ts';
import { newestResults } from './newest-results.ts';
import { performancePage } from './page.ts';
import { plot } from './plot.ts';

const root = new URL('../../', import.meta.url);

/** Text by path from the root of the repository. */
export type ReportFiles = Map<string, string>;

/** `docs/performance.md` and its plots, as the newest results give them. */
export async function reportFiles(): Promise<ReportFiles> {
  const results = await newestResults();
  const path = 'docs/performance.md';
  const style = await resolveConfig(new URL(path, root));
  const page = await format(performancePage(sections, results), { ...style, parser: 'markdown' });
  const files: ReportFiles = new Map([[path, page]]);
  for (const { comparisons } of results.values())
    for (const comparison of comparisons)
      files.set(`docs/performance/${comparison.id}.svg`, plot(comparison));
  return files;
}

/** @returns the paths that were written, from the root */
export async function writeReport(): Promise<string[]> {
  await mkdir(new URL('docs/performance/', root), { recursive: true });
  const files = await reportFiles();
  for (const [path, text] of files) await writeFile(new URL(path, root), text);
  return [...files.keys()];
}
