import { createAccount, createCast } from './accounts.ts';
import { formatTime } from './clock.ts';
import { createCommits } from './commits.ts';
import { nodeId } from './conversation.ts';
import { createDiscussions, type Discussions } from './discussions.ts';
import { createIssue } from './issue.ts';
import type { ItemContext } from './item-context.ts';
import { createOutlines } from './outline.ts';
import { createPullRequest } from './pull-request.ts';
import { hash32, randomFor } from '../../stand-in/random.ts';
import type { Commit, Issue, Outline, PullRequest, RepositoryFields } from './records.ts';

const DAY = 86_400_000;
/** Enough for a few pages; the rest is made again when asked for, so that memory stays bounded. */
const CACHED_ITEMS = 500;

/** What to generate. Everything but owner and name has a default. */
export interface RepositoryRecipe {
  owner: string;
  name: string;
  /** Default 1. The same seed gives the same data. */
  seed?: number;
  /** Default 0. */
  pullRequests?: number;
  /** Interleaved with the pull requests in one sequence of numbers, as on GitHub. Default 0. */
  issues?: number;
  /** Numbered after the pull requests and issues. Default 0; at most 1,000. */
  discussions?: number;
  /** Of the default branch. Default 30; 0: it is an empty repository to git. */
  commits?: number;
  /** Over how many days before `now` pull requests, issues and discussions were opened. Default 120. */
  historyDays?: number;
  /** Milliseconds since the epoch that all times are relative to. Default: the stand-in's start. */
  now?: number;
  /** Any of the repository's own fields. */
  fields?: Partial<Omit<RepositoryFields, 'databaseId' | 'nodeId' | 'name' | 'owner'>>;
}

/** A generated repository: its fields, and its pull requests, issues and discussions as plain objects made on demand. */
export interface Repository extends Discussions {
  readonly fullName: string;
  readonly fields: RepositoryFields;
  /** Pull requests and issues in the order of their numbers, which is that of their creation. */
  readonly outlines: readonly Outline[];
  /** The pull request with more than 130 reviews and comments; null in a repository of fewer than 50 items. */
  readonly busyNumber: number | null;
  /** The pull request with a body of about 60 kB; null likewise. */
  readonly longBodyNumber: number | null;
  pullRequest(number: number): PullRequest | undefined;
  issue(number: number): Issue | undefined;
  /** All of them, oldest first. */
  pullRequests(): PullRequest[];
  issues(): Issue[];
  /** Of the default branch, newest first. */
  commits(): readonly Commit[];
  /** Changes a pull request from now on, as if somebody had edited it on GitHub. */
  editPullRequest(number: number, changes: Partial<Omit<PullRequest, 'kind' | 'number' | 'createdAt'>>): void;
  /** The same for an issue. */
  editIssue(number: number, changes: Partial<Omit<Issue, 'kind' | 'number' | 'createdAt'>>): void;
}

/** Deterministic and lazy: ten thousand pull requests cost an outline each until they are asked for. */
export function generateRepository(recipe: RepositoryRecipe): Repository {
  const now = recipe.now ?? Date.now();
  const fields = createFields(recipe, now);
  const outlines = createOutlines(recipe, now);
  const context = createContext(recipe, fields, outlines);
  const items = new Map<number, PullRequest | Issue>();
  let commits: readonly Commit[] | undefined;
  const edits = new Map<number, object>();

  const load = (number: number): PullRequest | Issue | undefined => {
    const outline = outlines[number - 1];
    if (outline === undefined) return undefined;
    const known = items.get(number);
    if (known) return known;
    const create = outline.kind === 'issue' ? createIssue : createPullRequest;
    const item = { ...create(outline, context), ...edits.get(number) };
    const oldest = items.keys().next();
    if (items.size >= CACHED_ITEMS && !oldest.done) items.delete(oldest.value);
    items.set(number, item);
    return item;
  };
  const pullRequest = (number: number): PullRequest | undefined => {
    const item = load(number);
    return item?.kind === 'pull request' ? item : undefined;
  };
  const issue = (number: number): Issue | undefined => {
    const item = load(number);
    return item?.kind === 'issue' ? item : undefined;
  };
  const edit = (
    kind: Outline['kind'],
    number: number,
    changes: Partial<Pick<Outline, 'state' | 'updatedAt'>>,
  ): void => {
    const outline = outlines[number - 1];
    if (outline?.kind !== kind)
      throw new RangeError(
        `expected ${kind === 'issue' ? 'an issue' : 'a pull request'} of ${recipe.name}, got ${number}`,
      );
    // Whole: made again, it would be spread over the time until its new last update.
    edits.set(number, { ...load(number), ...changes });
    outline.state = changes.state ?? outline.state;
    outline.updatedAt = changes.updatedAt ?? outline.updatedAt;
    items.delete(number);
  };
  const isPresent = <Item>(item: Item | undefined): item is Item => item !== undefined;
  return {
    fullName: `${recipe.owner}/${recipe.name}`,
    fields,
    outlines,
    busyNumber: context.busyNumber,
    longBodyNumber: context.longBodyNumber,
    pullRequest,
    issue,
    pullRequests: () => outlines.map(({ number }) => pullRequest(number)).filter(isPresent),
    issues: () => outlines.map(({ number }) => issue(number)).filter(isPresent),
    commits: () =>
      (commits ??= createCommits(
        {
          count: recipe.commits ?? 30,
          historyDays: recipe.historyDays ?? 120,
          seed: context.seed,
          cast: context.cast,
        },
        now,
      )),
    editPullRequest: (number, changes) => edit('pull request', number, changes),
    editIssue: (number, changes) => edit('issue', number, changes),
    ...createDiscussions(
      {
        count: recipe.discussions ?? 0,
        firstNumber: outlines.length + 1,
        historyDays: recipe.historyDays ?? 120,
        repositoryId: fields.databaseId,
        seed: context.seed,
        cast: context.cast,
      },
      now,
    ),
  };
}

function createContext(
  recipe: RepositoryRecipe,
  fields: RepositoryFields,
  outlines: readonly Outline[],
): ItemContext {
  // Today's ids of pull requests and comments no longer fit into 32 bits; these do not either.
  const firstItemId = 3_000_000_000 + (fields.databaseId % 100_000) * 100_000;
  const pullRequestAt = (share: number): number | null => {
    if (outlines.length < 50) return null;
    const start = Math.floor(outlines.length * share);
    return outlines.slice(start).find(({ kind }) => kind === 'pull request')?.number ?? null;
  };
  return {
    seed: `${recipe.seed ?? 1}/${recipe.owner}/${recipe.name}`,
    cast: createCast(),
    defaultBranch: fields.defaultBranch,
    firstItemId,
    firstEntryId: (number) => (firstItemId + number) * 1000,
    busyNumber: pullRequestAt(0.9),
    longBodyNumber: pullRequestAt(0.93),
  };
}

function createFields(recipe: RepositoryRecipe, now: number): RepositoryFields {
  const fullName = `${recipe.owner}/${recipe.name}`;
  const random = randomFor(recipe.seed ?? 1, fullName);
  const databaseId = 500_000_000 + (hash32(fullName) % 400_000_000);
  return {
    databaseId,
    nodeId: nodeId('R', databaseId),
    name: recipe.name,
    owner: createAccount('Organization', recipe.owner, recipe.owner),
    description: 'Queues, leases and a little patience 🐙',
    homepageUrl: null,
    isPrivate: false,
    isFork: false,
    isArchived: false,
    stargazerCount: random.integer(0, 20_000),
    forkCount: random.integer(0, 900),
    watcherCount: random.integer(0, 300),
    diskUsage: random.integer(100, 90_000),
    primaryLanguage: { name: 'TypeScript', color: '#3178c6' },
    defaultBranch: 'main',
    createdAt: formatTime(now - ((recipe.historyDays ?? 120) + 30) * DAY),
    updatedAt: formatTime(now - DAY / 12),
    pushedAt: formatTime(now - DAY / 24),
    ...recipe.fields,
  };
}
