import { readFile, rm, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Logger } from '../runtime/logger.ts';
import { identify, isRunning, processIdentity } from './process-identity.ts';

const notes = z.array(processIdentity);

/** Notes which children this process has, so that the next start can end them if this one is killed. */
export function createChildNotes(file: string): (pids: number[]) => void {
  let latest = 0;
  return (pids) => {
    const turn = ++latest;
    void Promise.all(pids.map(identify)).then(async (found) => {
      const living = found.filter((identity) => identity !== undefined);
      if (turn === latest) await writeFile(file, JSON.stringify(living));
    });
  };
}

/** Kills the children that an earlier run noted in `file` and left behind; nothing else that has their ids by now. */
export async function killLeftovers(file: string, log: Logger): Promise<void> {
  const text = await readFile(file, 'utf8').catch(() => '[]');
  for (const identity of notes.parse(JSON.parse(text))) {
    if (!(await isRunning(identity))) continue;
    log.warn({ pid: identity.pid }, 'ending a Deno child that an earlier run left behind');
    process.kill(identity.pid, 'SIGKILL');
  }
  await rm(file, { force: true });
}
