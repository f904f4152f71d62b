import { renameSync, writeFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { z } from 'zod';
import type { Logger } from '../runtime/logger.ts';
import { identify, isRunning, processIdentity, type ProcessIdentity } from './process-identity.ts';

const notes = z.array(processIdentity);

/** Notes which children this process has, so that the next start can end them if this one is killed. */
export function createChildNotes(file: string, log: Logger): (pids: number[]) => void {
  let latest = 0;
  return (pids) => {
    const turn = ++latest;
    Promise.all(pids.map(identify))
      .then((found) => {
        if (turn === latest)
          replace(file, JSON.stringify(found.filter((identity) => identity !== undefined)));
      })
      .catch((error: unknown) => log.warn({ err: error, file }, 'could not note the Deno children'));
  };
}

/** In one go: two notes at the same time must not mix, and a kill must not leave half of one. */
function replace(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

/** Kills the children that an earlier run noted in `file` and left behind; nothing else that has their ids by now. */
export async function killLeftovers(file: string, log: Logger): Promise<void> {
  for (const identity of await readNotes(file, log)) {
    if (!(await isRunning(identity))) continue;
    log.warn({ pid: identity.pid }, 'ending a Deno child that an earlier run left behind');
    process.kill(identity.pid, 'SIGKILL');
  }
  await rm(file, { force: true });
}

/** A damaged file must not keep the stack from starting: the children end with their host as a rule. */
async function readNotes(file: string, log: Logger): Promise<ProcessIdentity[]> {
  const text = await readFile(file, 'utf8').catch(() => '[]');
  try {
    return notes.parse(JSON.parse(text));
  } catch (error) {
    log.warn({ err: error, file }, 'the notes of an earlier run are damaged');
    return [];
  }
}
