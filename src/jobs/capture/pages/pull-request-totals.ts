import { z } from 'zod';
import type { GitHub } from '../../../github/github.ts';
import { NonRetryableError } from '../../outcomes.ts';

/** A repository as the database names it. */
export interface KnownRepository {
  github_id: number;
  owner: string;
  name: string;
}

/** The same under its present name, with its size; a null count means that GitHub has no such repository any more. */
export interface RepositorySize extends KnownRepository {
  pull_request_count: number | null;
}

/**
 * Asks GitHub how many pull requests the repositories have, all in one request; in two when some are gone, since GitHub
 * counts a missing repository as a failure of the query.
 */
export async function fetchPullRequestTotals(
  github: GitHub,
  repositories: readonly KnownRepository[],
): Promise<RepositorySize[]> {
  if (repositories.length === 0) return [];
  try {
    const answer = await github.graphql<Answer>(queryFor(repositories), variablesFor(repositories));
    return repositories.map((repository, index) => toSize(repository, answer[alias(index)] ?? null));
  } catch (error) {
    const missing = missingAliases(error);
    if (missing.size === 0) throw error;
    const isMissing = (index: number): boolean => missing.has(alias(index));
    const gone = repositories.filter((_, index) => isMissing(index));
    const rest = repositories.filter((_, index) => !isMissing(index));
    return [
      ...gone.map((repository) => toSize(repository, null)),
      ...(await fetchPullRequestTotals(github, rest)),
    ];
  }
}

interface SizeNode {
  /** Null for a number that does not fit into 32 bits. */
  databaseId: number | null;
  owner: { login: string };
  name: string;
  pullRequests: { totalCount: number };
}

type Answer = Record<string, SizeNode | null>;

const alias = (index: number): string => `r${index}`;

function queryFor(repositories: readonly KnownRepository[]): string {
  const variables = repositories.map((_, index) => `$owner${index}: String!, $name${index}: String!`);
  const fields = repositories.map(
    (_, index) => `${alias(index)}: repository(owner: $owner${index}, name: $name${index}) { ...size }`,
  );
  return `query pullRequestTotals(${variables.join(', ')}) {
  ${fields.join('\n  ')}
  rateLimit { cost remaining resetAt }
}
fragment size on Repository { databaseId owner { login } name pullRequests { totalCount } }`;
}

function variablesFor(repositories: readonly KnownRepository[]): Record<string, string> {
  return Object.fromEntries(
    repositories.flatMap(({ owner, name }, index) => [
      [`owner${index}`, owner],
      [`name${index}`, name],
    ]),
  );
}

/** GitHub follows renames, so the name may be another; an id that is another belongs to a namesake. */
function toSize({ github_id, owner, name }: KnownRepository, node: SizeNode | null): RepositorySize {
  if (node === null || (node.databaseId !== null && node.databaseId !== github_id))
    return { github_id, owner, name, pull_request_count: null };
  return {
    github_id,
    owner: node.owner.login,
    name: node.name,
    pull_request_count: node.pullRequests.totalCount,
  };
}

/** FORBIDDEN is a repository that exists, and that this token may not see. */
const onlyMissing = z.array(
  z.object({ type: z.enum(['NOT_FOUND', 'FORBIDDEN']), path: z.tuple([z.string().regex(/^r\d+$/)]) }),
);

/** The aliases that made GitHub refuse the query, when nothing else was wrong with it. */
function missingAliases(error: unknown): Set<string> {
  if (!(error instanceof NonRetryableError)) return new Set();
  const problems = onlyMissing.safeParse(error.cause);
  return new Set(problems.data?.map(({ path: [missing] }) => missing));
}
