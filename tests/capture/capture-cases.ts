import type { Issue, PullRequest } from '../../src/local/github/data/records.ts';
import type { Repository } from '../../src/local/github/data/repository.ts';
import type { World } from '../../src/local/github/data/world.ts';
import type { TestDatabase } from '../support/database.ts';
import { storeRepository } from '../support/captured-repository.ts';
import { noRows, truthAbout, type Captured, type Truth } from './truth.ts';

/** One way to run a job of the catalog, and what it must leave in the database. */
export interface CaptureCase {
  type: string;
  /** Tells two ways of one job apart. */
  variant?: string;
  /** What its requests are sent to. */
  api: 'graphql' | 'rest';
  /** How it meets a page that GitHub cannot give for its size: it asks for a smaller one. Default: it is tried again. */
  shrinks?: true;
  /** REST serves where GraphQL cannot. Default: no other API does. */
  fallsBack?: true;
  /** Payloads of the jobs that capture this repository; none when it has nothing for the job. */
  payloads(repository: Repository): Record<string, unknown>[];
  /** A capture that takes as many pages as the job may have. Default: the last of `payloads`. */
  pagedPayload?(repository: Repository): Record<string, unknown>;
  /** What the database holds afterwards. */
  truth(repository: Repository, world: World): Truth;
  /** What the database must hold before. Default: nothing. */
  prepare?(database: TestDatabase, world: World): Promise<void>;
  /**
   * When something changes while the job runs: `end`, it stores the last state all the same; `served`, the state in
   * which GitHub showed it, and the next run stores the last one.
   */
  settles: 'end' | 'served';
  /** Tables of which it stores what is missing, and refreshes nothing. Default: none. */
  onlyAdds?: readonly (keyof Truth)[];
}

/** Every job of the catalog that stores what GitHub has. To add one, say how it is run and what it must store. */
export const captureCases: readonly CaptureCase[] = [
  ofPullRequests('capture/pr.details', (pulls) => ({
    pullRequests: pulls,
    reviewsOf: pulls,
    commentsOf: pulls,
  })),
  {
    ...ofPullRequests('capture/pr.reviews', (pulls) => ({ pullRequests: pulls, reviewsOf: pulls })),
    onlyAdds: ['pull_requests'],
  },
  {
    ...ofPullRequests('capture/pr.comments', (pulls) => ({ pullRequests: pulls, commentsOf: pulls })),
    onlyAdds: ['pull_requests'],
  },
  {
    type: 'capture/pr.details.graphql',
    api: 'graphql',
    shrinks: true,
    payloads: (repository) => {
      const prNumbers = numbers(repository.outlines.filter(({ kind }) => kind === 'pull request'));
      return prNumbers.length === 0 ? [] : [{ repository: repository.fullName, prNumbers }];
    },
    pagedPayload: (repository) => ({
      repository: repository.fullName,
      prNumbers: numbers(newest(repository, 55)),
    }),
    truth: (repository) => detailsOf(repository, repository.pullRequests()),
    settles: 'served',
  },
  {
    type: 'capture/issue.comments',
    api: 'rest',
    payloads: (repository) =>
      someIssues(repository).map(({ number }) => ({
        repository: repository.fullName,
        issueNumber: number,
      })),
    truth: (repository) =>
      truthAbout(repository, { issues: someIssues(repository), commentsOf: someIssues(repository) }),
    settles: 'served',
  },
  ofRepository('capture/repository.issues', 'rest', {
    truth: (repository) => truthAbout(repository, { issues: repository.issues() }),
    settles: 'end',
  }),
  ofRepository('capture/repository.sync', 'graphql', {
    ...{ shrinks: true, fallsBack: true },
    payload: { days: 1000 },
    truth: (repository) => truthAbout(repository, { pullRequests: repository.pullRequests() }),
    settles: 'end',
  }),
  ofRepository('capture/repository.sync', 'graphql', {
    ...{ shrinks: true, variant: 'over GraphQL' },
    payload: { days: 1000, api: 'graphql' },
    truth: (repository) => truthAbout(repository, { pullRequests: repository.pullRequests() }),
    settles: 'end',
  }),
  ofRepository('capture/repository.sync', 'rest', {
    variant: 'over REST',
    payload: { days: 1000, api: 'rest' },
    truth: (repository) => truthAbout(repository, { listedPullRequests: repository.pullRequests() }),
    settles: 'end',
  }),
  ofRepository('capture/repository.sync.graphql', 'graphql', {
    shrinks: true,
    truth: (repository) => truthAbout(repository, { pullRequests: newest(repository, 100) }),
    settles: 'served',
  }),
  ofRepository('capture/repository.sync.enhanced', 'graphql', {
    shrinks: true,
    pagedPayload: (repository) => ({ repository: repository.fullName, pageSize: 45 }),
    truth: (repository) => detailsOf(repository, repository.pullRequests()),
    settles: 'served',
  }),
  ofRepository('sync/discussions', 'graphql', {
    shrinks: true,
    // It is switched off unless it is forced.
    payload: { force: true },
    truth: (repository) => truthAbout(repository, { discussions: repository.discussions() }),
    // The rest of long threads is read after the last page of discussions.
    settles: 'served',
  }),
  ofRepository('discover/repository.new', 'rest', {
    truth: (repository) => truthAbout(repository, {}),
    settles: 'served',
  }),
  {
    type: 'classify/repository.size',
    api: 'graphql',
    shrinks: true,
    payloads: () => [{}],
    truth: (_, world) => sizes(world.repositories),
    prepare: knowRepositories,
    settles: 'served',
  },
  ofRepository('classify/repository.single', 'graphql', {
    truth: (repository, world) => sizes(world.repositories, repository),
    prepare: knowRepositories,
    settles: 'served',
  }),
];

/** Jobs beside them without a case, and why. */
export const notCaptures: Readonly<Record<string, string>> = {
  'update/pr.activity': 'asks GitHub nothing; its own test compares its rows with what the stand-in knows',
  'sync/workspace.priorities': 'asks GitHub nothing and stores nothing but jobs',
};

export function labelOf({ type, variant }: Pick<CaptureCase, 'type' | 'variant'>): string {
  return variant === undefined ? type : `${type} ${variant}`;
}

/** Of the pull requests of a repository: the first, the last, and the one with more feedback than fits on a page. */
function somePullRequests(repository: Repository): PullRequest[] {
  const all = repository.outlines.filter(({ kind }) => kind === 'pull request');
  const chosen = new Set([all[0]?.number, all.at(-1)?.number, repository.busyNumber]);
  return [...chosen].flatMap((number) => repository.pullRequest(number ?? 0) ?? []);
}

function someIssues(repository: Repository): Issue[] {
  const all = repository.issues();
  return [...new Set([all[0], all.at(-1)])].filter((issue) => issue !== undefined);
}

function newest(repository: Repository, count: number): PullRequest[] {
  return repository
    .pullRequests()
    .sort((a, b) => b.createdAt.localeCompare(a.createdAt) || b.number - a.number)
    .slice(0, count);
}

function ofPullRequests(type: string, captured: (pulls: PullRequest[]) => Captured): CaptureCase {
  return {
    type,
    api: 'rest',
    payloads: (repository) =>
      somePullRequests(repository).map(({ number }) => ({
        repository: repository.fullName,
        prNumber: number,
      })),
    truth: (repository) => truthAbout(repository, captured(somePullRequests(repository))),
    settles: 'served',
  };
}

function ofRepository(
  type: string,
  api: CaptureCase['api'],
  more: Omit<CaptureCase, 'type' | 'api' | 'payloads'> & { payload?: Record<string, unknown> },
): CaptureCase {
  const { payload, ...rest } = more;
  return {
    type,
    api,
    payloads: (repository) => [{ repository: repository.fullName, ...payload }],
    ...rest,
  };
}

function detailsOf(repository: Repository, pulls: PullRequest[]): Truth {
  return truthAbout(repository, { pullRequests: pulls, reviewsOf: pulls, commentsOf: pulls });
}

function numbers(items: readonly { number: number }[]): number[] {
  return items.map(({ number }) => number);
}

/** @param counted - whose size is known afterwards; default: all */
function sizes(repositories: readonly Repository[], counted?: Repository): Truth {
  const rows = repositories.map((repository) => {
    const isCounted = counted === undefined || counted === repository;
    const count = repository.outlines.filter(({ kind }) => kind === 'pull request').length;
    const sizeClass = count < 100 ? 'small' : count <= 500 ? 'medium' : 'large';
    return {
      github_id: repository.fields.databaseId,
      owner: repository.fields.owner.login,
      name: repository.fields.name,
      pull_request_count: isCounted ? count : null,
      size_class: isCounted ? sizeClass : null,
    };
  });
  return { ...noRows, repositories: rows.sort((a, b) => a.github_id - b.github_id) };
}

/** Rows of nothing but their names, as a sender's first mention leaves them. */
async function knowRepositories(database: TestDatabase, { repositories }: World): Promise<void> {
  for (const { fullName, fields } of repositories)
    await storeRepository(database, fullName, fields.databaseId);
}
