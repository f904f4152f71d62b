import { z } from 'zod';
import type { GitHub } from '../../github/github.ts';
import { defineJob } from '../define-job.ts';
import type { JobContext } from '../job-context.ts';
import { fetchPullRequestTotals, type KnownRepository } from './pages/pull-request-totals.ts';
import {
  recordSizes,
  sizeFreshnessPayload,
  staleAfterSeconds,
  type SizeCounts,
} from './store/repository-size.ts';
import { ShrinkingPage } from './pages/shrinking-page.ts';

const payload = sizeFreshnessPayload.and(
  z.object({
    /** Repositories that one run asks for; the next run continues. Default: 1,000. */
    maxRepositories: z.int32().positive().default(1000),
  }),
);

type Context = JobContext<z.output<typeof payload>>;

/** At the cost of one point. Where GitHub runs out of time for that many, the page shrinks. */
const repositoriesPerRequest = 50;

interface ClassifiedRepositories extends SizeCounts {
  /** Asked for by this run: 0 when no classification was stale. */
  repositories: number;
  /** Of up to 50 repositories. */
  pages: number;
  /** True when `maxRepositories` ended the run before all were classified. */
  truncated: boolean;
  githubRequests: number;
  source: 'cache' | 'github';
}

/** Counts the pull requests of all repositories whose size is unknown or stale, many in one request. */
export const classifyRepositories = defineJob({
  type: 'classify/repository.size',
  title: 'Classify repositories by size',
  lane: 'edge',
  payload,
  concurrency: { key: () => 'classify/repository.size', limit: 1 },
  quota: ['github:graphql'],
  run: classify,
});

async function classify(ctx: Context): Promise<ClassifiedRepositories> {
  const { maxRepositories } = ctx.payload;
  const steps = new ShrinkingPage(ctx, repositoriesPerRequest);
  const total = { repositories: 0, githubRequests: 0, small: 0, medium: 0, large: 0, unavailable: 0 };
  let [pages, more]: [number, boolean] = [0, true];
  let asOf: string | undefined;
  while (more && total.repositories < maxRepositories) {
    const left = maxRepositories - total.repositories;
    const page = await steps.step(`page ${pages + 1}`, (size, github) =>
      classifyPage(ctx, github, { asOf, limit: Math.min(size, left) }),
    );
    ({ asOf, more } = page);
    if (page.repositories === 0) break;
    pages += 1;
    for (const key of countKeys) total[key] += page[key];
    const percent = (100 * total.repositories) / maxRepositories;
    await ctx.progress(Math.min(99, percent), `${total.repositories} repositories classified`);
  }
  return { ...total, pages, truncated: more, source: pages > 0 ? 'github' : 'cache' };
}

const countKeys = ['repositories', 'githubRequests', 'small', 'medium', 'large', 'unavailable'] as const;

interface ClassifiedPage extends SizeCounts {
  asOf: string;
  more: boolean;
  repositories: number;
}

interface Unclassified {
  as_of: string;
  repositories: KnownRepository[];
  more: boolean;
}

/** @param batch - what is stale is judged at the time of the first page, so that no repository comes twice */
async function classifyPage(
  { payload, rpc, signal }: Context,
  github: GitHub,
  { asOf, limit }: { asOf: string | undefined; limit: number },
): Promise<ClassifiedPage> {
  const unclassified = await rpc<Unclassified>(
    'find_unclassified_repositories',
    { stale_after_seconds: staleAfterSeconds(payload), max_repositories: limit, as_of: asOf },
    { signal },
  );
  const sizes = await fetchPullRequestTotals(github, unclassified.repositories);
  const counts = await recordSizes(rpc, sizes, unclassified.as_of, signal);
  return { ...counts, asOf: unclassified.as_of, more: unclassified.more, repositories: sizes.length };
}
