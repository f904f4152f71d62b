import { execFile } from 'node:child_process';
import { readFile, readlink, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Logger } from '../runtime/logger.ts';

const run = promisify(execFile);

const FAST_STOP_SECONDS = 20;
const OWNER_FILE = 'started-by.pid';

/** Notes in the data folder that this process runs the server there. */
export async function claimDataDir(dataDir: string): Promise<void> {
  await writeFile(join(dataDir, OWNER_FILE), `${process.pid}\n`);
}

/**
 * Clears the way for a new server in this folder: a server whose owner was killed (kill -9) is stopped, and a pid file
 * whose process is gone, or is by now some other program, no longer blocks.
 *
 * @throws {Error} when the server in this folder belongs to a process that is still alive
 */
export async function stopOrphan(dataDir: string, log: Logger): Promise<void> {
  const pid = await readPid(join(dataDir, 'postmaster.pid'));
  // Without a live process Postgres judges the file itself, and better: it also looks for surviving backends.
  if (pid === undefined || !isAlive(pid)) return;
  if (!(await servesFolder(pid, dataDir))) {
    await rm(join(dataDir, 'postmaster.pid'));
    return;
  }
  const owner = await readPid(join(dataDir, OWNER_FILE));
  if (owner !== undefined && isAlive(owner)) {
    throw new Error(
      `Folder ${dataDir} is in use: Postgres ${pid} there belongs to the running process ${owner}`,
    );
  }
  log.warn({ pid, dataDir }, 'stopping a Postgres that an earlier run left behind');
  await stop(pid);
}

async function stop(pid: number): Promise<void> {
  signal(pid, 'SIGINT');
  const giveUpAt = Date.now() + FAST_STOP_SECONDS * 1000;
  while (isAlive(pid)) {
    if (Date.now() > giveUpAt) signal(pid, 'SIGQUIT');
    await sleep(50);
  }
}

/** The first line of both pid files is the process id. */
async function readPid(path: string): Promise<number | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const pid = Number(text.split('\n')[0]);
  return Number.isInteger(pid) && pid > 0 ? pid : undefined;
}

/** A server's working directory is its data folder; where /proc does not say so, its command line names it. */
async function servesFolder(pid: number, dataDir: string): Promise<boolean> {
  if (process.platform === 'linux') {
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
    return cwd === (await realpath(dataDir));
  }
  const { stdout } = await run('ps', ['-p', String(pid), '-o', 'command=']).catch(() => ({ stdout: '' }));
  return stdout.includes(`-D ${dataDir} `);
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
