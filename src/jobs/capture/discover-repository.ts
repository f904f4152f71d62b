import { z } from 'zod';
import { defineJob } from '../define-job.ts';
import type { JobContext } from '../job-context.ts';
import { storePage, type RepositoryRow } from './store/capture-page.ts';
import { lookUp, nameOnGitHub, type CaptureState } from './store/capture-state.ts';
import {
  repositoryKey,
  repositoryPayload,
  type RepositoryReference,
} from './payload/repository-reference.ts';
import { repositoryFromRest } from './rows/rows-from-rest.ts';

const payload = repositoryPayload.and(
  z.object({
    /** Fetch the metadata of a known repository too. Default: false. */
    force: z.boolean().default(false),
  }),
);

type Context = JobContext<z.output<typeof payload>>;

interface DiscoveredRepository {
  repositoryId: string;
  /** `owner/name`, as GitHub calls it now, or as the database knows it. */
  repository: string;
  /** Whether the database had it before, maybe under another name. */
  known: boolean;
  source: 'cache' | 'github';
  githubRequests: number;
  /** Types of the jobs that were started: none for a known repository. */
  enqueued: string[];
}

/**
 * Adds a repository to the database and to the tracked ones, and starts its first sync. A known repository is only
 * tracked from now on: `sync/workspace.priorities` finds out whether it is due.
 */
export const discoverRepository = defineJob({
  type: 'discover/repository.new',
  aliases: ['discover/new-repository'],
  functionId: 'discover-new-repository',
  title: 'Discover a repository',
  lane: 'edge',
  payload,
  timeoutSeconds: 60,
  concurrency: { key: ({ repository }) => `discovery of ${repositoryKey(repository)}`, limit: 1 },
  quota: ['github:core'],
  run: discover,
});

async function discover(ctx: Context): Promise<DiscoveredRepository> {
  // What was known before is a step of its own: a run that stored the repository and was lost must still start the sync.
  const found = await ctx.step('look', () => look(ctx));
  const repositoryId = await ctx.step('track', () => track(ctx, found));
  const { known, githubRequests, name, github_id } = found;
  const result = { repositoryId, repository: `${name.owner}/${name.name}`, known, githubRequests };
  const source = found.fetched === null ? 'cache' : 'github';
  if (known) return { ...result, source, enqueued: [] };
  const payload = { repository: { ...name, github_id } };
  // The key under which sync/workspace.priorities would start the first sync.
  const syncKey = `first sync of ${repositoryId}, period 0`;
  ctx.enqueue({ type: 'capture/repository.sync', payload, idempotencyKey: syncKey });
  const sizeKey = `first classification of ${repositoryId}`;
  ctx.enqueue({ type: 'classify/repository.single', payload, idempotencyKey: sizeKey });
  return { ...result, source, enqueued: ['capture/repository.sync', 'classify/repository.single'] };
}

interface Found {
  known: boolean;
  github_id: number;
  name: { owner: string; name: string };
  /** Null when the database's knowledge was enough. */
  fetched: { asOf: string; row: RepositoryRow } | null;
  githubRequests: number;
}

async function look(ctx: Context): Promise<Found> {
  const { rpc, signal, payload } = ctx;
  const state = await lookUp(rpc, payload.repository, { signal });
  if (state.repository !== null && !payload.force) {
    const { github_id, owner, name } = state.repository;
    return { known: true, github_id, name: { owner, name }, fetched: null, githubRequests: 0 };
  }
  const github = ctx.github.withSignal(signal);
  const { data } = await github.rest.repos.get(nameOnGitHub(payload.repository, state));
  const row = repositoryFromRest(data);
  return {
    known: await isKnown(ctx, state, row.github_id),
    github_id: row.github_id,
    name: { owner: row.owner, name: row.name },
    fetched: { asOf: state.as_of, row },
    githubRequests: github.requestCount,
  };
}

/** GitHub answers to an old name too: the repository may be in the database under its new one. */
async function isKnown(
  { rpc, signal, payload }: Context,
  { repository }: CaptureState,
  githubId: number,
): Promise<boolean> {
  if (repository?.github_id === githubId) return true;
  const sameId: RepositoryReference = { ...payload.repository, id: null, githubId };
  return (await lookUp(rpc, sameId, { signal })).repository !== null;
}

/** Stores what was fetched, and returns our id. */
async function track({ rpc, signal, payload }: Context, found: Found): Promise<string> {
  if (found.fetched !== null) {
    const { asOf, row } = found.fetched;
    await storePage(rpc, { fetched_at: asOf, repository: row, contributors: [] }, signal);
  }
  const reference = { ...payload.repository, id: null, githubId: found.github_id };
  const { repository } = await lookUp(rpc, reference, { signal });
  if (repository === null)
    throw new Error(`repository ${found.github_id} was deleted while it was discovered`);
  await rpc('track_repository', { repository_id: repository.id }, { signal });
  return repository.id;
}
