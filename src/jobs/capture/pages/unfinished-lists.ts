import type { GitHub } from '../../../github/github.ts';
import type { JobContext } from '../../job-context.ts';
import { actorFields } from '../rows/actor-from-graphql.ts';
import { storePage } from '../store/capture-page.ts';
import { askForList, type DetailLists, type UnfinishedList } from '../rows/detail-lists.ts';
import { DetailRows } from '../rows/detail-rows.ts';
import { rateLimitField } from '../rows/rows-from-graphql.ts';
import { ShrinkingPage } from './shrinking-page.ts';

/** Lists that one request goes on with. If all were threads: 20 × 51 requests, which are 10 points, and 51,000 nodes. */
const listsPerRequest = 20;
/** GitHub's largest page, except for threads, each of which brings comments. */
const entries = { reviews: 100, conversation: 100, threads: 50, replies: 100 };

/** What steps have captured. */
export interface DetailCounts {
  reviews: number;
  comments: number;
  githubRequests: number;
}

/** Where the lists belong. */
export interface Place {
  /** The database's time of the look that came before every request. */
  asOf: string;
  /** GitHub's id. */
  repositoryId: number;
}

/**
 * Lists that did not fit on the page of their pull request: gathered from several pages, and gone on with many at once.
 * A pull request counts as captured when the last of its lists is.
 */
export class UnfinishedLists {
  #lists: readonly UnfinishedList[] = [];
  #requests = 0;
  readonly #ctx: JobContext<unknown>;
  readonly #pages: ShrinkingPage;

  constructor(ctx: JobContext<unknown>) {
    this.#ctx = ctx;
    this.#pages = new ShrinkingPage(ctx, listsPerRequest);
  }

  add(lists: readonly UnfinishedList[]): void {
    this.#lists = [...this.#lists, ...lists];
  }

  /** Goes on with the lists while there are enough of them for a whole request. */
  async completeMost(place: Place): Promise<DetailCounts> {
    return await this.#complete(place, listsPerRequest - 1);
  }

  async completeAll(place: Place): Promise<DetailCounts> {
    return await this.#complete(place, 0);
  }

  /** @param leave - so many lists may be left */
  async #complete(place: Place, leave: number): Promise<DetailCounts> {
    const counts = { reviews: 0, comments: 0, githubRequests: 0 };
    while (this.#lists.length > leave) {
      this.#requests += 1;
      const lists = this.#lists;
      const captured = await this.#pages.step(`rest ${this.#requests}`, (size, github) =>
        capture(this.#ctx, github, place, lists, size),
      );
      this.#lists = [...lists.slice(captured.lists), ...captured.unfinished];
      addCounts(counts, captured);
    }
    return counts;
  }
}

/** Adds up what several steps have captured. */
export function addCounts(total: DetailCounts, { reviews, comments, githubRequests }: DetailCounts): void {
  total.reviews += reviews;
  total.comments += comments;
  total.githubRequests += githubRequests;
}

/** The next page of the first so many of these lists. */
async function capture(
  { rpc, signal }: JobContext<unknown>,
  github: GitHub,
  { asOf, repositoryId }: Place,
  lists: readonly UnfinishedList[],
  size: number,
) {
  const asked = lists.slice(0, size);
  const rows = await fetchNextPages(github, asked);
  const stillOpen = new Set([...lists.slice(size), ...rows.unfinished].map(({ pullRequest }) => pullRequest));
  for (const github_id of new Set(asked.map(({ pullRequest }) => pullRequest)))
    if (!stillOpen.has(github_id)) rows.addSynced({ github_id, details_synced_at: asOf });
  await storePage(rpc, rows.toPage(asOf, { github_id: repositoryId }), signal);
  return { lists: asked.length, ...rows.counts() };
}

type Answer = Record<string, (Partial<DetailLists> | null)[]>;

async function fetchNextPages(github: GitHub, lists: readonly UnfinishedList[]): Promise<DetailRows> {
  const variables: Record<string, unknown> = {};
  for (const [index, { of, after }] of lists.entries()) {
    variables[`ids${index}`] = [of];
    variables[`after${index}`] = after;
  }
  const answer = await github.graphql<Answer>(restQuery(lists), variables);
  const rows = new DetailRows();
  lists.forEach((list, index) => {
    // Null: a pull request or thread that GitHub has no more, and so has its list.
    const owner = answer[`list${index}`]?.[0];
    if (owner) rows.addList(list, owner);
  });
  return rows;
}

/** `nodes` rather than `node`, for GitHub's complaint that it has one of them no more is harmless then. */
function restQuery(lists: readonly UnfinishedList[]): string {
  const variables = lists.map((_, index) => `$ids${index}: [ID!]!, $after${index}: String!`);
  const fields = lists.map(({ kind }, index) => {
    const owner = kind === 'replies' ? 'PullRequestReviewThread' : 'PullRequest';
    const page = askForList(kind, entries[kind], `$after${index}`);
    return `list${index}: nodes(ids: $ids${index}) { ... on ${owner} { ${page} } }`;
  });
  return `query restOfLists(${variables.join(', ')}) {
  ${rateLimitField}
  ${fields.join('\n  ')}
}
${actorFields}`;
}
