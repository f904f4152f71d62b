import type { PullRequestRow, RepositoryRow } from './capture-page.ts';
import { storable, storableBody } from './captured-text.ts';
import type { Account, ContributorRows } from './contributor-rows.ts';

/** What {@link actorFields} asks for. Kinds of actors without a number of their own have no `databaseId`. */
interface Actor {
  __typename: string;
  login: string;
  avatarUrl: string;
  databaseId?: number | null;
  user?: { databaseId: number | null } | null;
}

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
  fullDatabaseId: string;
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

const actorFields = `fragment actorFields on Actor {
  __typename login avatarUrl
  ... on User { databaseId }
  ... on Bot { databaseId }
  ... on Organization { databaseId }
  ... on Mannequin { databaseId }
  ... on EnterpriseUserAccount { user { databaseId } }
}`;

export const repositoryFields = `fragment repositoryFields on Repository {
  databaseId owner { login } name description isPrivate isFork isArchived defaultBranchRef { name }
  primaryLanguage { name } stargazerCount url createdAt updatedAt pushedAt
}`;

export const pullRequestFields = `fragment pullRequestFields on PullRequest {
  fullDatabaseId author { ...actorFields } mergedBy { ...actorFields } number title body state isDraft merged
  baseRefName headRefName headRefOid additions deletions changedFiles commits { totalCount } url
  createdAt updatedAt closedAt mergedAt
}
${actorFields}`;

function account(actor: Actor | null): Account | null {
  const id = actor?.databaseId ?? actor?.user?.databaseId;
  if (actor === null || id == null) return null;
  const isBot = actor.__typename === 'Bot';
  return {
    id,
    // GraphQL drops the ending that tells a bot from a person of the same name.
    login: isBot && !actor.login.endsWith('[bot]') ? `${actor.login}[bot]` : actor.login,
    type: actor.__typename === 'EnterpriseUserAccount' ? 'User' : actor.__typename,
    avatarUrl: actor.avatarUrl,
  };
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

export function pullRequestFromGraphQL(pull: PullRequestNode, contributors: ContributorRows): PullRequestRow {
  return {
    github_id: Number(pull.fullDatabaseId),
    author_github_id: contributors.add(account(pull.author)),
    merged_by_github_id: contributors.add(account(pull.mergedBy)),
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
