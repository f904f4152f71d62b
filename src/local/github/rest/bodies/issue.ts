import type { Issue, PullRequest } from '../../data/records.ts';
import { labelBodies } from './pull-request.ts';
import { apiUrl, type Links, pageUrl, type Schema } from './schema.ts';
import { authorBody } from './user.ts';

const STATE_REASONS = { COMPLETED: 'completed', NOT_PLANNED: 'not_planned', REOPENED: 'reopened' } as const;

/** An issue; every pull request is one as well, and then carries the key `pull_request`. */
export function issueBody(links: Links, item: Issue | PullRequest): Schema<'issue'> {
  const url = apiUrl(links, `/issues/${item.number}`);
  return {
    url,
    repository_url: apiUrl(links),
    labels_url: `${url}/labels{/name}`,
    comments_url: `${url}/comments`,
    events_url: `${url}/events`,
    html_url: pageUrl(links, `/${item.kind === 'issue' ? 'issues' : 'pull'}/${item.number}`),
    id: item.databaseId,
    node_id: item.nodeId,
    number: item.number,
    title: item.title,
    user: authorBody(links.api, item.author),
    labels: labelBodies(links, item.labels),
    state: item.state === 'OPEN' ? 'open' : 'closed',
    state_reason: item.kind === 'issue' && item.stateReason ? STATE_REASONS[item.stateReason] : null,
    locked: item.locked,
    active_lock_reason: null,
    assignee: null,
    assignees: [],
    milestone: null,
    comments: item.comments.length,
    created_at: item.createdAt,
    updated_at: item.updatedAt,
    closed_at: item.closedAt,
    author_association: item.authorAssociation,
    body: item.body,
    ...(item.kind === 'issue' ? {} : pullRequestReference(links, item)),
  };
}

function pullRequestReference(links: Links, pull: PullRequest) {
  const htmlUrl = pageUrl(links, `/pull/${pull.number}`);
  return {
    draft: pull.isDraft,
    pull_request: {
      url: apiUrl(links, `/pulls/${pull.number}`),
      html_url: htmlUrl,
      diff_url: `${htmlUrl}.diff`,
      patch_url: `${htmlUrl}.patch`,
      merged_at: pull.mergedAt,
    },
  };
}
