import type { AnalysisContext } from './payload.ts';
import { openGitHub, type LoadedContext } from './repository-access.ts';

/** Commits to a step: what is lost with a killed process at most. */
const batchSize = 10;

export interface CommitDetails {
  /** Whose files are known. */
  commits: number;
  githubRequests: number;
}

/**
 * Asks GitHub for the files of each commit, over REST, since GraphQL does not list them; the database holds their paths
 * then. Of a commit with more than 300 files, GitHub's page, the first 300. One request after the other, as GitHub's "Best
 * practices for using the REST API" asks for.
 */
export async function fetchCommitDetails(
  ctx: AnalysisContext,
  place: LoadedContext,
  shas: readonly string[],
): Promise<CommitDetails> {
  const batches = Math.ceil(shas.length / batchSize);
  for (let batch = 0; batch < batches; batch += 1) {
    const members = shas.slice(batch * batchSize, (batch + 1) * batchSize);
    await ctx.step(`fetch-commit-details:batch ${batch + 1}`, () => fetchBatch(ctx, place, members));
    await ctx.progress(40 + (40 * (batch + 1)) / batches, `the files of ${members.length} more commits`);
  }
  return { commits: shas.length, githubRequests: shas.length };
}

async function fetchBatch(
  ctx: AnalysisContext,
  place: LoadedContext,
  shas: readonly string[],
): Promise<number> {
  const github = await openGitHub(ctx, place);
  const details: { sha: string; files: string[] }[] = [];
  for (const sha of shas) {
    const { data } = await github.rest.repos.getCommit({ owner: place.owner, repo: place.name, ref: sha });
    details.push({ sha, files: (data.files ?? []).map(({ filename }) => filename) });
  }
  const stored = { analysis_id: ctx.payload.jobId, details };
  return await ctx.rpc<number>('store_analysis_files', stored, { signal: ctx.signal });
}
