import { z } from 'zod';
import { defineJob } from '../define-job.ts';
import type { JobContext } from '../job-context.ts';
import type { SizeClass } from './store/repository-size.ts';

const minutes = z.number().min(1).max(525_600);

const payload = z.object({
  /** Minutes between two refreshes of a repository, by its priority. Defaults: 60, 360 (6 h), 1,440 (24 h). */
  everyMinutes: z
    .object({ high: minutes.default(60), medium: minutes.default(360), low: minutes.default(1440) })
    .prefault({}),
  /** Repositories whose sync one run starts; the next run goes on with the others. Default: 200. */
  maxRepositories: z.int32().positive().max(5000).default(200),
});

type Context = JobContext<z.output<typeof payload>>;
type Priority = 'high' | 'medium' | 'low';

/** By so many minutes the sync overtakes other jobs. */
const jobPriorities: Record<Priority, number> = { high: 10, medium: 0, low: -10 };

interface StartedSyncs {
  /** Repositories whose sync was started. */
  enqueued: number;
  byPriority: Record<Priority, number>;
  /** Repositories that are due too, and that `maxRepositories` left to the next run. */
  left: number;
}

/** Starts the sync of tracked repositories that are due for a refresh, the longest due first. */
export const syncWorkspacePriorities = defineJob({
  type: 'sync/workspace.priorities',
  aliases: ['sync/workspace-priorities'],
  title: 'Start the syncs that are due',
  lane: 'edge',
  payload,
  timeoutSeconds: 60,
  concurrency: { key: () => 'sync/workspace.priorities', limit: 1 },
  run: startSyncs,
});

interface Due {
  repositories: {
    github_id: number;
    owner: string;
    name: string;
    priority: Priority;
    size_class: SizeClass | null;
    never_synced: boolean;
    /** The same for every run within one interval: two runs start one sync, and a failed one is started again. */
    idempotency_key: string;
  }[];
  left: number;
}

async function startSyncs(ctx: Context): Promise<StartedSyncs> {
  const { everyMinutes: every_minutes, maxRepositories: max_repositories } = ctx.payload;
  const { signal } = ctx;
  const due = await ctx.rpc<Due>('find_due_repositories', { every_minutes, max_repositories }, { signal });
  const byPriority = { high: 0, medium: 0, low: 0 };
  for (const { owner, name, github_id, ...repository } of due.repositories) {
    byPriority[repository.priority] += 1;
    ctx.enqueue({
      type: syncType(repository),
      payload: { repository: { owner, name, github_id } },
      priority: jobPriorities[repository.priority],
      idempotencyKey: repository.idempotency_key,
    });
  }
  return { enqueued: due.repositories.length, byPriority, left: due.left };
}

/** A first sync of a large repository has many pages, which `enhanced` captures with their details. */
function syncType({
  size_class,
  never_synced,
}: Pick<Due['repositories'][number], 'size_class' | 'never_synced'>): string {
  return size_class === 'large' && never_synced
    ? 'capture/repository.sync.enhanced'
    : 'capture/repository.sync';
}
