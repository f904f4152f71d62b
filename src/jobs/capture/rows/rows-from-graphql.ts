import { accountFromGraphQL, type Actor } from './actor-from-graphql.ts';
import type { PullRequestRow, RepositoryRow } from '../store/capture-page.ts';
import { storable, storableBody } from './captured-text.ts';
import type { ContributorRows } from './contributor-rows.ts';

/** What {@link repositoryFields} asks for. */
export interface RepositoryNode {
  databaseId: number;
  owner: { login: string };
  name: string;
  description: string | null;
  isPrivate: boolean;
  isFork: boolean;
  isArchived: boolean;
  defaultBranchRef: { name: string } | null;
  primaryLanguage: { name: string } | null;
  stargazerCount: number;
  url: string;
  createdAt: string;
  updatedAt: string;
  pushedAt: string | null;
}

/** What {@link pullRequestFields} asks for. */
export interface PullRequestNode {
  fullDatabaseId: string | null;
  author: Actor | null;
  mergedBy: Actor | null;
  number: number;
  title: string;
  body: string;
  state: 'OPEN' | 'CLOSED' | 'MERGED';
  isDraft: boolean;
  merged: boolean;
  baseRefName: string;
  headRefName: string;
  headRefOid: string;
  additions: number;
  deletions: number;
  changedFiles: number;
  commits: { totalCount: number };
  url: string;
  createdAt: string;
  updatedAt: string;
  closedAt: string | null;
  mergedAt: string | null;
}

export const repositoryFields = `fragment repositoryFields on Repository {
  databaseId owner { login } name description isPrivate isFork isArchived defaultBranchRef { name }
  primaryLanguage { name } stargazerCount url createdAt updatedAt pushedAt
}`;

export const pullRequestFields = `fragment pullRequestFields on PullRequest {
  fullDatabaseId author { ...actorFields } mergedBy { ...actorFields } number title body state isDraft merged
  baseRefName headRefName headRefOid additions deletions changedFiles commits { totalCount } url
  createdAt updatedAt closedAt mergedAt
}`;

/** Asked for in every query, so that whoever reads the answers sees what they cost. */
export const rateLimitField = 'rateLimit { cost remaining resetAt }';

/** GitHub's id of a node, null where it has none: such a thing could not be recognised again, and is left out. */
export function githubId({ fullDatabaseId }: { fullDatabaseId: string | null }): number | null {
  return fullDatabaseId === null ? null : Number(fullDatabaseId);
}

export function repositoryFromGraphQL(repository: RepositoryNode): RepositoryRow {
  return {
    github_id: repository.databaseId,
    owner: repository.owner.login,
    name: repository.name,
    description: storableBody(repository.description),
    private: repository.isPrivate,
    fork: repository.isFork,
    archived: repository.isArchived,
    default_branch: repository.defaultBranchRef?.name ?? null,
    language: repository.primaryLanguage?.name ?? null,
    stargazers_count: repository.stargazerCount,
    html_url: repository.url,
    created_at: repository.createdAt,
    updated_at: repository.updatedAt,
    pushed_at: repository.pushedAt,
  };
}

export function pullRequestFromGraphQL(
  pull: PullRequestNode,
  contributors: ContributorRows,
): PullRequestRow | null {
  const id = githubId(pull);
  if (id === null) return null;
  return {
    github_id: id,
    author_github_id: contributors.add(accountFromGraphQL(pull.author)),
    merged_by_github_id: contributors.add(accountFromGraphQL(pull.mergedBy)),
    number: pull.number,
    title: storable(pull.title),
    body: storableBody(pull.body),
    state: pull.state === 'OPEN' ? 'open' : 'closed',
    draft: pull.isDraft,
    merged: pull.merged,
    base_branch: storable(pull.baseRefName),
    head_branch: storable(pull.headRefName),
    head_sha: pull.headRefOid,
    additions: pull.additions,
    deletions: pull.deletions,
    changed_files: pull.changedFiles,
    commits: pull.commits.totalCount,
    html_url: pull.url,
    created_at: pull.createdAt,
    updated_at: pull.updatedAt,
    closed_at: pull.closedAt,
    merged_at: pull.mergedAt,
  };
}
