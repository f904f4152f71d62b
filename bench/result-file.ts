import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, loadavg, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { SectionResult } from './section.ts';

/**
 * Results are added, never replaced. Those in `scratch` are not kept in the repository.
 * @returns the path of the file
 */
export async function saveResult(
  section: string,
  result: SectionResult,
  { loadBefore, scratch }: { loadBefore: number[]; scratch: boolean },
): Promise<string> {
  const folder = new URL(scratch ? './results/scratch/' : './results/', import.meta.url);
  await mkdir(folder, { recursive: true });
  const at = new Date().toISOString();
  const file = new URL(`${at.slice(0, 19).replaceAll(':', '')}-${section}.json`, folder);
  const machine = {
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    memoryBytes: totalmem(),
    loadBefore,
    loadAfter: loadavg(),
    node: process.version,
  };
  const commit = execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
  await writeFile(file, `${JSON.stringify({ at, commit, machine, section, ...result }, null, 2)}\n`);
  return fileURLToPath(file);
}
