import type { GitHub } from '../../github/github.ts';
import { ShrinkingPage } from '../capture/pages/shrinking-page.ts';
import { storable } from '../capture/rows/captured-text.ts';
import { nextCursor, type Connection } from '../capture/rows/connection.ts';
import type { AnalysisContext } from './payload.ts';
import { openGitHub, type LoadedContext } from './repository-access.ts';

/** What the database holds after the list was read. */
export interface CommitList {
  commits: number;
  pages: number;
  /** True when the branch has more commits than `maxCommits`. */
  truncated: boolean;
  /** Of the newest commits that are no merges, as many as details are wanted of. */
  shas: string[];
  githubRequests: number;
}

interface Page {
  commits: number;
  shas: string[];
  totalCount: number;
  /** Null when no commit comes after this page. */
  next: string | null;
}

/** Reads the newest commits of the default branch, page by page, each a step of its own; the database holds them then. */
export async function fetchCommitList(ctx: AnalysisContext, place: LoadedContext): Promise<CommitList> {
  const { maxCommits, maxDetails } = ctx.payload;
  const pages = new ShrinkingPage(ctx, 100, () => openGitHub(ctx, place));
  const list: CommitList = { commits: 0, pages: 0, truncated: false, shas: [], githubRequests: 0 };
  let after: string | null = null;
  do {
    list.pages += 1;
    const from: { after: string | null; position: number } = { after, position: list.commits };
    const detailsLeft = maxDetails - list.shas.length;
    const page: Page & { githubRequests: number } = await pages.step(
      `fetch-commit-list:page ${list.pages}`,
      (size, github) =>
        fetchPage(ctx, github, place, from, Math.min(size, maxCommits - from.position), detailsLeft),
    );
    list.commits += page.commits;
    list.shas.push(...page.shas);
    list.githubRequests += page.githubRequests;
    after = page.next;
    const expected = Math.max(1, Math.min(maxCommits, page.totalCount));
    await ctx.progress((40 * list.commits) / expected, `${list.commits} commits`);
  } while (after !== null && list.commits < maxCommits);
  return { ...list, truncated: after !== null };
}

/** Over GraphQL, since its `GitTimestamp` keeps the author's offset from UTC: over REST all times are in UTC. */
const query = `query commits($owner: String!, $name: String!, $first: Int!, $after: String) {
  rateLimit { limit cost remaining resetAt }
  repository(owner: $owner, name: $name) {
    defaultBranchRef { target { ... on Commit { history(first: $first, after: $after) {
      totalCount
      pageInfo { hasNextPage endCursor }
      nodes {
        oid messageHeadline authoredDate additions deletions
        parents { totalCount }
        author { name date user { login } }
      }
    } } } }
  }
}`;

interface CommitNode {
  oid: string;
  messageHeadline: string;
  authoredDate: string;
  additions: number;
  deletions: number;
  parents: { totalCount: number };
  author: { name: string | null; date: string | null; user: { login: string } | null } | null;
}

interface Answer {
  repository: {
    /** Null: nothing was ever pushed. */
    defaultBranchRef: { target: { history?: Connection<CommitNode> & { totalCount: number } } | null } | null;
  } | null;
}

async function fetchPage(
  { rpc, signal, payload }: AnalysisContext,
  github: GitHub,
  { owner, name }: LoadedContext,
  { after, position }: { after: string | null; position: number },
  first: number,
  detailsLeft: number,
): Promise<Page> {
  const { repository } = await github.graphql<Answer>(query, { owner, name, first, after });
  const history = repository?.defaultBranchRef?.target?.history;
  if (!history) return { commits: 0, shas: [], totalCount: 0, next: null };
  const nodes = (history.nodes ?? []).filter((node) => node !== null);
  const commits = nodes.map((node, index) => toRow(node, position + index));
  await rpc('store_analysis_commits', { analysis_id: payload.jobId, commits }, { signal });
  return {
    commits: commits.length,
    shas: commits
      .filter(({ parents }) => parents <= 1)
      .slice(0, Math.max(0, detailsLeft))
      .map(({ sha }) => sha),
    totalCount: history.totalCount,
    next: nextCursor(history),
  };
}

function toRow(node: CommitNode, position: number) {
  const { author } = node;
  const name = author?.user?.login ?? author?.name ?? 'unknown';
  return {
    sha: node.oid,
    position,
    authored_at: author?.date ?? node.authoredDate,
    utc_offset_minutes: offsetOf(author?.date ?? null),
    author: storable(name),
    is_bot: /\[bot\]$/i.test(name),
    headline: storable(node.messageHeadline.slice(0, 200)),
    parents: node.parents.totalCount,
    additions: node.additions,
    deletions: node.deletions,
  };
}

/** Minutes east of Greenwich in `2026-11-22T10:00:00+05:30`; 0 for `Z`; null: nobody says. */
function offsetOf(timestamp: string | null): number | null {
  const [, zone, sign, hours, minutes] = /(Z|([+-])(\d\d):?(\d\d))$/.exec(timestamp ?? '') ?? [];
  if (zone === undefined) return null;
  const offset = 60 * Number(hours ?? 0) + Number(minutes ?? 0);
  return sign === '-' ? -offset : offset;
}
