import type { Rpc } from '../database/rpc.ts';
import type { Logger } from '../runtime/logger.ts';

/** Rows deleted by one statement: short enough to hold up nobody. */
const pruneRows = 5_000;

export interface PruneOptions {
  rpc: Rpc;
  keepDays: number;
  log: Logger;
}

/** Deletes finished jobs that are older than `keepDays`, portion by portion, until none is left or it is told to stop. */
export async function prune({ rpc, keepDays, log }: PruneOptions, stopping: AbortSignal): Promise<void> {
  let total = 0;
  let portion = pruneRows;
  while (portion === pruneRows && !stopping.aborted) {
    portion = await rpc<number>('prune_background_jobs', {
      older_than: `${keepDays} days`,
      max_rows: pruneRows,
    });
    total += portion;
  }
  log.info({ pruned: total, keepDays }, 'finished jobs pruned');
}
