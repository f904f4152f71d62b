import type { WorkspaceContext } from './workspace-reference.ts';

/** Of one statement: 1 to 2 s for repositories of 10,000 pull requests each, where an API role has 8 s by default. */
const repositoriesPerStep = 20;

/** What `refresh_workspace_repositories` returns. */
interface Portion {
  refreshed: number;
  /** Repositories that follow. */
  left: number;
  /** The last one of the portion. */
  last: string | null;
}

/**
 * Reads the captured rows of a workspace's repositories, 20 to a step, and each repository once.
 *
 * @param full - all of them; otherwise those that are new in it or that changed
 * @returns how many were read; 0, too, when there is no such workspace
 */
export async function refreshRepositories(ctx: WorkspaceContext, full: boolean): Promise<number> {
  const { rpc, signal, payload } = ctx;
  let read = 0;
  let after: string | null = null;
  for (let n = 1; ; n += 1) {
    const portion: Portion | null = await ctx.step(`repositories ${n}`, () =>
      rpc<Portion | null>(
        'refresh_workspace_repositories',
        {
          workspace_id: payload.workspaceId,
          full_recompute: full,
          max_repositories: repositoriesPerStep,
          after,
        },
        { signal },
      ),
    );
    if (portion === null) return read;
    read += portion.refreshed;
    const all = read + portion.left;
    if (all > 0) await ctx.progress(Math.min(99, (99 * read) / all), `${read} of ${all} repositories read`);
    if (portion.left === 0) return read;
    after = portion.last;
  }
}
