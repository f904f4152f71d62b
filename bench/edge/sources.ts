import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { denoPath } from '../../src/local/deno-path.ts';

const fromRoot = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** Size of our own files in the import graph of an entry point, in kB: what a deploy uploads beside the packages. */
export async function uploadedKilobytes(entryFile: string): Promise<number> {
  const { stdout } = await promisify(execFile)(
    denoPath,
    ['info', '--json', '--config', fromRoot('deno.json'), fromRoot(entryFile)],
    { maxBuffer: 64 * 1024 * 1024 },
  );
  const { modules } = JSON.parse(stdout) as { modules: { kind: string; size?: number }[] };
  const own = modules.filter(({ kind }) => kind === 'esm');
  return own.reduce((sum, { size = 0 }) => sum + size, 0) / 1024;
}
