import type { RepositoryReference } from '../capture/payload/repository-reference.ts';
import { lookUp } from '../capture/store/capture-state.ts';
import type { JobContext } from '../job-context.ts';
import { NonRetryableError } from '../outcomes.ts';

/**
 * Our uuid of a captured repository.
 * @throws {NonRetryableError} the database does not have it
 */
export async function knownRepositoryId(
  { rpc, signal }: JobContext<unknown>,
  repository: RepositoryReference,
): Promise<string> {
  const known = await lookUp(rpc, repository, { signal });
  if (known.repository) return known.repository.id;
  const { id, owner, name } = repository;
  throw new NonRetryableError(
    `repository: expected one that the database has, got ${id ?? `${owner}/${name}`}, which it has not`,
  );
}
