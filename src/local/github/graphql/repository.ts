import type { GraphQLResolveInfo } from 'graphql';
import type { Outline } from '../data/records.ts';
import type { Repository } from '../data/repository.ts';
import { renderActor } from './actor.ts';
import { renderDefaultBranch } from './commit.ts';
import { connection, type PageArguments } from './connection.ts';
import { discussionPage, findDiscussion } from './discussion.ts';
import { smallId } from './ids.ts';
import { renderIssue, renderPullRequest } from './item.ts';
import { TypedGraphQLError } from './typed-error.ts';

interface ItemPageArguments extends PageArguments {
  states?: readonly string[] | null;
  orderBy?: { field: string; direction: 'ASC' | 'DESC' } | null;
  filterBy?: { since?: string | null; states?: readonly string[] | null } | null;
  labels?: readonly string[] | null;
  baseRefName?: string | null;
  headRefName?: string | null;
}

/** A repository with its own fields and the ways into its pull requests, issues and discussions. */
export function renderRepository(repository: Repository): object {
  const { fields } = repository;
  const url = `https://github.com/${repository.fullName}`;
  return {
    __typename: 'Repository',
    id: fields.nodeId,
    databaseId: smallId(fields.databaseId),
    name: fields.name,
    nameWithOwner: repository.fullName,
    owner: renderActor(fields.owner),
    description: fields.description,
    homepageUrl: fields.homepageUrl,
    isPrivate: fields.isPrivate,
    visibility: fields.isPrivate ? 'PRIVATE' : 'PUBLIC',
    isFork: fields.isFork,
    isArchived: fields.isArchived,
    archivedAt: null,
    isDisabled: false,
    isEmpty: false,
    isLocked: false,
    isMirror: false,
    isTemplate: false,
    isInOrganization: true,
    hasIssuesEnabled: true,
    hasDiscussionsEnabled: repository.discussionOutlines.length > 0,
    hasWikiEnabled: true,
    hasProjectsEnabled: true,
    stargazerCount: fields.stargazerCount,
    forkCount: fields.forkCount,
    watchers: { totalCount: fields.watcherCount },
    diskUsage: fields.diskUsage,
    primaryLanguage: fields.primaryLanguage,
    licenseInfo: null,
    defaultBranchRef: () => renderDefaultBranch(repository),
    createdAt: fields.createdAt,
    updatedAt: fields.updatedAt,
    pushedAt: fields.pushedAt,
    resourcePath: `/${repository.fullName}`,
    url,
    sshUrl: `git@github.com:${repository.fullName}.git`,
    pullRequests: itemPage(repository, 'pull request'),
    issues: itemPage(repository, 'issue'),
    pullRequest: ({ number }: { number: number }) => findPullRequest(repository, number),
    issue: ({ number }: { number: number }) => findIssue(repository, number),
    discussions: discussionPage(repository),
    discussion: ({ number }: { number: number }) => findDiscussion(repository, number),
    issueOrPullRequest: ({ number }: { number: number }) =>
      repository.outlines[number - 1]?.kind === 'issue'
        ? findIssue(repository, number)
        : findPullRequest(repository, number, 'an issue or pull request'),
  };
}

function itemPage(repository: Repository, kind: Outline['kind']) {
  return (args: ItemPageArguments, _context: unknown, info: GraphQLResolveInfo): object => {
    refuseUnservedFilters(args);
    const states = args.states ?? args.filterBy?.states;
    const since = args.filterBy?.since == null ? 0 : Date.parse(args.filterBy.since);
    const sortBy = args.orderBy?.field === 'UPDATED_AT' ? 'updatedAt' : 'createdAt';
    return connection(
      {
        items: repository.outlines.filter(
          (outline) =>
            outline.kind === kind &&
            (states?.includes(outline.state) ?? true) &&
            Date.parse(outline.updatedAt) >= since,
        ),
        positionOf: (outline) => [outline[sortBy], outline.number],
        direction: args.orderBy?.direction ?? 'ASC',
        render: ({ number }) =>
          kind === 'issue' ? findIssue(repository, number) : findPullRequest(repository, number),
      },
      args,
      info,
    );
  };
}

/** Better an error than a list that ignores what was asked for. */
function refuseUnservedFilters(args: ItemPageArguments): void {
  const unserved: string[] = (['labels', 'baseRefName', 'headRefName'] as const).filter(
    (name) => args[name] != null,
  );
  if (args.orderBy?.field === 'COMMENTS') unserved.push('orderBy COMMENTS');
  if (unserved.length === 0) return;
  throw new TypedGraphQLError('INTERNAL', `The GitHub stand-in does not serve ${unserved.join(', ')}.`);
}

function findPullRequest(repository: Repository, number: number, expected = 'a PullRequest'): object {
  const pull = repository.pullRequest(number);
  if (pull) return renderPullRequest(pull, repository);
  throw new TypedGraphQLError('NOT_FOUND', `Could not resolve to ${expected} with the number of ${number}.`);
}

function findIssue(repository: Repository, number: number): object {
  const issue = repository.issue(number);
  if (issue) return renderIssue(issue, repository);
  throw new TypedGraphQLError('NOT_FOUND', `Could not resolve to an Issue with the number of ${number}.`);
}
