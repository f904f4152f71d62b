import type { GraphQLResolveInfo } from 'graphql';
import type { Issue, Label, PullRequest } from '../data/records.ts';
import type { Repository } from '../data/repository.ts';
import { renderActor, renderAuthor } from './actor.ts';
import { connection, emptyConnection, type PageArguments } from './connection.ts';
import { commentPage, renderText, reviewPage, reviewThreadPage } from './feedback.ts';
import { renderIds } from './ids.ts';
import { renderRepository } from './repository.ts';

/** What a pull request and an issue have in common. */
function renderItem(item: PullRequest | Issue, repository: Repository, url: string): object {
  return {
    ...renderIds(item),
    number: item.number,
    title: item.title,
    ...renderText(item.body),
    author: renderAuthor(item.author),
    authorAssociation: item.authorAssociation,
    closed: item.state !== 'OPEN',
    closedAt: item.closedAt,
    createdAt: item.createdAt,
    updatedAt: item.updatedAt,
    publishedAt: item.createdAt,
    lastEditedAt: null,
    locked: item.locked,
    activeLockReason: null,
    milestone: null,
    resourcePath: new URL(url).pathname,
    url,
    labels: labelPage(item.labels),
    comments: commentPage(item.comments, url),
    assignees: emptyConnection,
    reactions: emptyConnection,
    repository: () => renderRepository(repository),
  };
}

export function renderIssue(issue: Issue, repository: Repository): object {
  const url = `https://github.com/${repository.fullName}/issues/${issue.number}`;
  return {
    __typename: 'Issue',
    ...renderItem(issue, repository, url),
    state: issue.state,
    stateReason: issue.stateReason,
  };
}

export function renderPullRequest(pull: PullRequest, repository: Repository): object {
  const url = `https://github.com/${repository.fullName}/pull/${pull.number}`;
  return {
    __typename: 'PullRequest',
    ...renderItem(pull, repository, url),
    permalink: url,
    state: pull.state,
    isDraft: pull.isDraft,
    merged: pull.state === 'MERGED',
    mergedAt: pull.mergedAt,
    mergedBy: renderAuthor(pull.mergedBy),
    mergeCommit: pull.mergeCommitOid === null ? null : { oid: pull.mergeCommitOid },
    mergeable: pull.state === 'OPEN' ? 'MERGEABLE' : 'UNKNOWN',
    mergeStateStatus: pull.isDraft ? 'DRAFT' : 'UNKNOWN',
    maintainerCanModify: pull.state === 'OPEN',
    additions: pull.additions,
    deletions: pull.deletions,
    changedFiles: pull.changedFiles,
    commits: { totalCount: pull.commits },
    baseRefName: pull.baseRefName,
    baseRefOid: pull.baseRefOid,
    headRefName: pull.headRefName,
    headRefOid: pull.headRefOid,
    isCrossRepository: false,
    baseRepository: () => renderRepository(repository),
    headRepository: () => renderRepository(repository),
    headRepositoryOwner: () => renderActor(repository.fields.owner),
    reviewDecision: pull.reviewDecision,
    reviews: reviewPage(pull, url),
    reviewThreads: reviewThreadPage(pull, url),
    reviewRequests: emptyConnection,
    totalCommentsCount: pull.comments.length + pull.reviewComments.length,
  };
}

function labelPage(labels: readonly Label[]) {
  return (args: PageArguments, _context: unknown, info: GraphQLResolveInfo): object =>
    connection(
      {
        items: labels,
        positionOf: (label) => ['', label.databaseId],
        render: (label) => ({
          id: label.nodeId,
          name: label.name,
          color: label.color,
          description: label.description,
          isDefault: false,
        }),
      },
      args,
      info,
    );
}
