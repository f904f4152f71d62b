import { forEachOf } from './side-by-side.ts';
import { type FunctionHost, KilledError } from './function-host.ts';
import type { Work } from './workload.ts';

/** What became of a workload. */
export interface Survival {
  finished: number;
  /** Attempts that their host killed. */
  killed: number;
}

/** A job that is killed is tried so many times more, as the queue's default has it. */
const retries = 3;

/** Sends each job as one request that does all of its work. */
export async function runEverythingInline(
  host: FunctionHost,
  works: readonly Work[],
  sideBySide: number,
): Promise<Survival> {
  let finished = 0;
  const killedBefore = host.killed();
  await forEachOf(works, sideBySide, async (work) => {
    for (let attempt = 0; attempt <= retries; attempt += 1) {
      if (!(await survives(host, work))) continue;
      finished += 1;
      return;
    }
  });
  return { finished, killed: host.killed() - killedBefore };
}

async function survives(host: FunctionHost, work: Work): Promise<boolean> {
  try {
    await host.call('/', { method: 'POST', body: JSON.stringify(work) });
    return true;
  } catch (error) {
    if (error instanceof KilledError) return false;
    throw error;
  }
}
