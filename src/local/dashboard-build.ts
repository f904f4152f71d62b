import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../runtime/logger.ts';

export interface DashboardBuild {
  /** Folder of the built site. The first call may build it, the others wait; all reject when it could not be built. */
  folder(): Promise<string>;
  /** Ends a build that is under way. */
  stop(): Promise<void>;
}

/**
 * Builds the dashboard with Vite where `dashboard/dist` is missing or older than its sources, when somebody asks for a
 * page. Built beside its place and then put there, so that two stacks may build at the same time.
 */
export function createDashboardBuild(root: string, log: Logger): DashboardBuild {
  const stopping = new AbortController();
  let underWay: Promise<string> | undefined;
  return {
    folder: async () => {
      underWay ??= provide(root, log, stopping.signal);
      try {
        return await underWay;
      } catch (error) {
        // The next request tries again: somebody may have mended what was broken.
        underWay = undefined;
        throw error;
      }
    },
    stop: async () => {
      stopping.abort();
      await underWay?.catch(() => {
        // Whoever asked for the page was told.
      });
    },
  };
}

async function provide(root: string, log: Logger, signal: AbortSignal): Promise<string> {
  const dist = join(root, 'dashboard/dist');
  if (await isStale(join(root, 'dashboard'), dist)) {
    log.info({ folder: dist }, 'the dashboard is being built');
    await build(root, dist, signal);
  }
  return dist;
}

async function isStale(sources: string, dist: string): Promise<boolean> {
  const builtAt = await changedAt(join(dist, 'index.html'));
  if (builtAt === undefined) return true;
  for (const entry of await readdir(sources, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || path.startsWith(dist)) continue;
    if (((await changedAt(path)) ?? 0) > builtAt) return true;
  }
  return false;
}

async function changedAt(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.mtimeMs;
}

async function build(root: string, dist: string, signal: AbortSignal): Promise<void> {
  const beside = `${dist}-${randomUUID()}`;
  try {
    await runVite(root, beside, signal);
    await rm(dist, { recursive: true, force: true });
    await rename(beside, dist).catch((error: unknown) => {
      // Another stack was a moment faster: what it built is as new.
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOTEMPTY')) throw error;
    });
  } finally {
    await rm(beside, { recursive: true, force: true });
  }
}

async function runVite(root: string, outDir: string, signal: AbortSignal): Promise<void> {
  const vite = join(root, 'node_modules/vite/bin/vite.js');
  const args = [vite, 'build', 'dashboard', '--outDir', outDir, '--emptyOutDir', '--logLevel', 'warn'];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], signal });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-4000)));
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`vite build ended with ${code}: ${output.trim()}`)),
    );
  });
}
