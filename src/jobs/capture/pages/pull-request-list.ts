import type {
  CapturePage,
  ListedPullRequestRow,
  PullRequestRow,
  RepositoryRow,
} from '../store/capture-page.ts';

/** How to ask GitHub for a repository. */
export type RepositoryName = { owner: string; repo: string };

/** Where the next page of a repository's pull requests begins. */
export type ListPlace = { api: 'graphql'; after: string | null } | { api: 'rest'; page: number };

/** One page of a repository's pull requests, the latest changed first, as either API tells them. */
export interface PullRequestList {
  repository: RepositoryRow;
  pullRequests: (PullRequestRow | ListedPullRequestRow)[];
  contributors: CapturePage['contributors'];
  /** When a pull request last changed at the moment of the answer; null: there is none, or the answer does not tell. */
  newest: string | null;
  /** Null at the end of the list. */
  next: ListPlace | null;
}
