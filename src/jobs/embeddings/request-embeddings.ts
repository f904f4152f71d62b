import type { RepositoryReference } from '../capture/payload/repository-reference.ts';
import type { JobContext } from '../job-context.ts';
import { computeEmbeddings } from './compute-embeddings.ts';
import type { ItemReference } from './item-reference.ts';

/** Named items overtake the backlog: somebody has just written them. */
const priority = 5;

/** Items of one `embeddings/compute.requested`: some 80 KB of payload. */
const itemsPerJob = 1_000;

/** @returns how many jobs will embed these items, each once, when the running one has completed */
export function requestItems(
  { enqueue }: Pick<JobContext<unknown>, 'enqueue'>,
  items: readonly ItemReference[],
): number {
  const distinct = [...new Map(items.map(({ type, id }) => [`${type} ${id}`, { type, id }])).values()];
  let jobs = 0;
  for (; jobs * itemsPerJob < distinct.length; jobs += 1) {
    const chunk = distinct.slice(jobs * itemsPerJob, (jobs + 1) * itemsPerJob);
    enqueue({ type: computeEmbeddings.type, priority, payload: { items: chunk } });
  }
  return jobs;
}

/** All due items of a repository, then its similarity cache. */
export function requestRepository(
  { enqueue }: Pick<JobContext<unknown>, 'enqueue'>,
  { id, owner, name }: RepositoryReference,
): void {
  const named = id === null ? { owner, repo: name } : { repositoryId: id };
  enqueue({ type: computeEmbeddings.type, priority, payload: { ...named, similarities: true } });
}
