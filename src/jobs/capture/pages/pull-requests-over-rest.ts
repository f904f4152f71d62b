import type { GitHub } from '../../../github/github.ts';
import { ContributorRows } from '../rows/contributor-rows.ts';
import { hasNextPage } from './rest-pages.ts';
import type { PullRequestList, RepositoryName } from './pull-request-list.ts';
import { listedPullRequestFromRest, repositoryFromRest } from '../rows/rows-from-rest.ts';

const pageSize = 100;

/** A page of 100 pull requests, numbered from 1. Only the first page tells when the newest one changed. */
export async function listOverRest(
  github: GitHub,
  name: RepositoryName,
  page: number,
): Promise<PullRequestList> {
  const { data, headers } = await github.rest.pulls.list({
    ...name,
    ...{ state: 'all', sort: 'updated', direction: 'desc', per_page: pageSize, page },
  });
  const repository = data[0]?.base.repo ?? (await github.rest.repos.get(name)).data;
  const contributors = new ContributorRows();
  const pullRequests = data.map((pull) => listedPullRequestFromRest(pull, contributors));
  return {
    repository: repositoryFromRest(repository),
    pullRequests,
    contributors: contributors.all(),
    newest: page === 1 ? (pullRequests[0]?.updated_at ?? null) : null,
    next: hasNextPage(headers) ? { api: 'rest', page: page + 1 } : null,
  };
}

/**
 * The page on which REST goes on where another API has left the list. Pull requests only ever move to the front, which
 * pushes the rest on to later pages: nothing that was not read is before that page, but for those that changed in the
 * same second, which either API has in an order of its own.
 *
 * @param read - pull requests that were read, from the first
 * @param oldest - the earliest change among them; null when none was read
 */
export async function resumeOverRest(
  github: GitHub,
  name: RepositoryName,
  read: number,
  oldest: string | null,
): Promise<PullRequestList> {
  let page = Math.floor(read / pageSize) + 1;
  let list = await listOverRest(github, name, page);
  while (page > 1 && list.pullRequests[0]?.updated_at === oldest) {
    page -= 1;
    list = await listOverRest(github, name, page);
  }
  return list;
}
