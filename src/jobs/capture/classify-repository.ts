import type { z } from 'zod';
import { defineJob } from '../define-job.ts';
import type { JobContext } from '../job-context.ts';
import { NonRetryableError } from '../outcomes.ts';
import { fetchPullRequestTotals } from './pages/pull-request-totals.ts';
import { repositoryKey, repositoryPayload } from './payload/repository-reference.ts';
import {
  lookUpSize,
  recordSizes,
  sizeFreshnessPayload,
  staleAfterSeconds,
  type SizeClass,
  type SizeState,
} from './store/repository-size.ts';

const payload = repositoryPayload.and(sizeFreshnessPayload);

type Context = JobContext<z.output<typeof payload>>;

/** Its fields are null only when the repository is deleted from the database meanwhile. */
interface ClassifiedRepository {
  repositoryId: string | null;
  /** `owner/name`, as it is called now. */
  repository: string | null;
  pullRequests: number | null;
  sizeClass: SizeClass | null;
  githubRequests: number;
  source: 'cache' | 'github';
}

/** Counts the pull requests of one known repository, unless its size is fresh. */
export const classifyRepository = defineJob({
  type: 'classify/repository.single',
  aliases: ['classify/single-repository'],
  functionId: 'classify-single-repository',
  title: 'Classify one repository by size',
  lane: 'edge',
  payload,
  timeoutSeconds: 60,
  concurrency: { key: ({ repository }) => `size of ${repositoryKey(repository)}`, limit: 1 },
  quota: ['github:graphql'],
  run: (ctx: Context): Promise<ClassifiedRepository> => ctx.step('classify', () => classify(ctx)),
});

async function classify(ctx: Context): Promise<ClassifiedRepository> {
  const { payload, rpc, signal } = ctx;
  const state = await lookUpSize(rpc, payload.repository, signal);
  const { as_of: asOf, repository: known, size } = state;
  if (known === null)
    throw new NonRetryableError(
      'repository: expected one that the database knows; discover/repository.new adds others',
    );
  const isFresh = size?.age_seconds != null && size.age_seconds < staleAfterSeconds(payload);
  if (isFresh) return { ...classOf(state), githubRequests: 0, source: 'cache' };
  const github = ctx.github.withSignal(signal);
  const sizes = await fetchPullRequestTotals(github, [known]);
  await recordSizes(rpc, sizes, asOf, signal);
  if (sizes.some(({ pull_request_count }) => pull_request_count === null))
    throw new NonRetryableError(`GitHub has no repository ${known.owner}/${known.name} any more`);
  const classified = await lookUpSize(rpc, { ...payload.repository, id: known.id }, signal);
  return { ...classOf(classified), githubRequests: github.requestCount, source: 'github' };
}

function classOf({ repository, size }: SizeState): Omit<ClassifiedRepository, 'githubRequests' | 'source'> {
  return {
    repositoryId: repository?.id ?? null,
    repository: repository && `${repository.owner}/${repository.name}`,
    pullRequests: size?.pull_request_count ?? null,
    sizeClass: size?.size_class ?? null,
  };
}
