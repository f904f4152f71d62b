import { defineJob } from '../define-job.ts';
import { NonRetryableError } from '../outcomes.ts';
import { fetchCommitDetails } from './commit-details.ts';
import { fetchCommitList } from './commit-list.ts';
import { analyse, type WorkStyle } from './metrics/analyse.ts';
import type { AnalysedCommit } from './metrics/commit.ts';
import { type Narrative, writeNarrative } from './narrative.ts';
import { type AnalysisContext, analysisPayload } from './payload.ts';
import { loadContext } from './repository-access.ts';

/** What operators see; users read `analysis_jobs.result`. */
interface AnalysedRepository {
  commits: number;
  /** True when the branch has more commits than `maxCommits`. */
  truncated: boolean;
  /** Whose files are known: fewer than `commits` where there are more than `maxDetails`. */
  detailedCommits: number;
  asUser: boolean;
  narrative: Narrative['status'];
  /** Requests whose answers were stored. */
  githubRequests: number;
}

/**
 * The style of work in a repository, for one user: five steps, of which the long ones have steps of their own for each page
 * and batch. A step opens the user's token when it needs it and keeps it to itself. `analysis_jobs` follows the job: to
 * `completed` in the last step, to `error` in the transaction in which the job ends badly, however it does.
 */
export const analyzeRepo = defineJob({
  type: 'repo/analyze.requested',
  functionId: 'analyze-repo',
  title: 'Analyse the style of work in a repository',
  lane: 'edge',
  payload: analysisPayload,
  // On a lane without a limit of its own; where the host has less time, the job goes on in the next slice.
  timeoutSeconds: 1_800,
  // No quota: it is mostly the user's own, which holds up nobody else. So one analysis at a time spends it.
  concurrency: { key: ({ userId }) => `analysis for ${userId}`, limit: 1 },
  run: analyzeRepository,
});

async function analyzeRepository(ctx: AnalysisContext): Promise<AnalysedRepository> {
  const place = await ctx.step('load-job-context', () => loadContext(ctx));
  const pages = await fetchCommitList(ctx, place);
  const { shas, ...list } = await ctx.step('fetch-commit-list', () => Promise.resolve(pages));
  const batches = await fetchCommitDetails(ctx, place, shas);
  const details = await ctx.step('fetch-commit-details', () => Promise.resolve(batches));
  const style = await ctx.step('compute-analysis', () => compute(ctx));
  const narrative = await ctx.step('compute-analysis:narrative', () => writeNarrative(ctx, style));
  const { owner, name } = place;
  const { commits, truncated } = list;
  const detailedCommits = details.commits;
  await ctx.step('save-results', () =>
    save(ctx, { repository: `${owner}/${name}`, truncated, detailedCommits, style, narrative }),
  );
  const githubRequests = 1 + list.githubRequests + details.githubRequests;
  const { asUser } = place;
  return { commits, truncated, detailedCommits, asUser, narrative: narrative.status, githubRequests };
}

async function compute({ rpc, signal, payload }: AnalysisContext): Promise<WorkStyle> {
  const stored = { analysis_id: payload.jobId };
  return analyse(await rpc<AnalysedCommit[]>('list_analysis_commits', stored, { signal }));
}

/** What a user reads in `analysis_jobs.result`. */
interface AnalysisResult {
  repository: string;
  truncated: boolean;
  detailedCommits: number;
  style: WorkStyle;
  narrative: Narrative;
}

async function save({ jobId, type, rpc, signal, payload }: AnalysisContext, result: AnalysisResult) {
  const finished = { analysis_id: payload.jobId, job_id: jobId, result };
  if (await rpc<boolean>('finish_analysis', finished, { signal })) return true;
  throw new NonRetryableError(`job ${type}: the analysis ${payload.jobId} was ended or deleted meanwhile`);
}
