import type { Repository } from '../../data/repository.ts';
import { apiUrl, type Links, pageUrl, type Schema } from './schema.ts';
import { userBody } from './user.ts';

/** A repository as pull requests and lists embed it. */
export function repositoryBody(links: Links, repository: Repository): Schema<'repository'> {
  const { fields, outlines } = repository;
  const openCount = outlines.filter(({ state }) => state === 'OPEN').length;
  return {
    ...urlTemplates(links),
    id: fields.databaseId,
    node_id: fields.nodeId,
    name: fields.name,
    full_name: links.fullName,
    owner: userBody(links.api, fields.owner),
    private: fields.isPrivate,
    visibility: fields.isPrivate ? 'private' : 'public',
    html_url: pageUrl(links),
    description: fields.description,
    homepage: fields.homepageUrl,
    fork: fields.isFork,
    archived: fields.isArchived,
    disabled: false,
    is_template: false,
    language: fields.primaryLanguage?.name ?? null,
    license: null,
    topics: [],
    size: fields.diskUsage,
    default_branch: fields.defaultBranch,
    stargazers_count: fields.stargazerCount,
    // REST calls the stars watchers, too; the real watchers are `subscribers_count`.
    watchers_count: fields.stargazerCount,
    watchers: fields.stargazerCount,
    forks_count: fields.forkCount,
    forks: fields.forkCount,
    open_issues_count: openCount,
    open_issues: openCount,
    has_issues: true,
    has_projects: true,
    has_downloads: true,
    has_wiki: true,
    has_pages: false,
    has_discussions: repository.discussionOutlines.length > 0,
    created_at: fields.createdAt,
    updated_at: fields.updatedAt,
    pushed_at: fields.pushedAt,
  };
}

/** A repository as its own endpoint answers it. */
export function fullRepositoryBody(links: Links, repository: Repository): Schema<'full-repository'> {
  const { created_at, updated_at, pushed_at, ...body } = repositoryBody(links, repository);
  return {
    ...body,
    created_at: created_at ?? '',
    updated_at: updated_at ?? '',
    pushed_at: pushed_at ?? '',
    has_discussions: repository.discussionOutlines.length > 0,
    subscribers_count: repository.fields.watcherCount,
    network_count: repository.fields.forkCount,
    organization: userBody(links.api, repository.fields.owner),
  };
}

/** The RFC 6570 templates that GitHub puts into every repository. */
function urlTemplates(links: Links) {
  const url = (path: string): string => apiUrl(links, path);
  return {
    url: url(''),
    archive_url: url('/{archive_format}{/ref}'),
    assignees_url: url('/assignees{/user}'),
    blobs_url: url('/git/blobs{/sha}'),
    branches_url: url('/branches{/branch}'),
    collaborators_url: url('/collaborators{/collaborator}'),
    comments_url: url('/comments{/number}'),
    commits_url: url('/commits{/sha}'),
    compare_url: url('/compare/{base}...{head}'),
    contents_url: url('/contents/{+path}'),
    contributors_url: url('/contributors'),
    deployments_url: url('/deployments'),
    downloads_url: url('/downloads'),
    events_url: url('/events'),
    forks_url: url('/forks'),
    git_commits_url: url('/git/commits{/sha}'),
    git_refs_url: url('/git/refs{/sha}'),
    git_tags_url: url('/git/tags{/sha}'),
    hooks_url: url('/hooks'),
    issue_comment_url: url('/issues/comments{/number}'),
    issue_events_url: url('/issues/events{/number}'),
    issues_url: url('/issues{/number}'),
    keys_url: url('/keys{/key_id}'),
    labels_url: url('/labels{/name}'),
    languages_url: url('/languages'),
    merges_url: url('/merges'),
    milestones_url: url('/milestones{/number}'),
    notifications_url: url('/notifications{?since,all,participating}'),
    pulls_url: url('/pulls{/number}'),
    releases_url: url('/releases{/id}'),
    stargazers_url: url('/stargazers'),
    statuses_url: url('/statuses/{sha}'),
    subscribers_url: url('/subscribers'),
    subscription_url: url('/subscription'),
    tags_url: url('/tags'),
    teams_url: url('/teams'),
    trees_url: url('/git/trees{/sha}'),
    git_url: `git://github.com/${links.fullName}.git`,
    ssh_url: `git@github.com:${links.fullName}.git`,
    clone_url: `${pageUrl(links)}.git`,
    svn_url: pageUrl(links),
    mirror_url: null,
  };
}
