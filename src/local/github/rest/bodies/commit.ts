import { formatTime } from '../../data/clock.ts';
import type { Commit, CommitFile } from '../../data/records.ts';
import { apiUrl, type Links, pageUrl, type Schema } from './schema.ts';
import { userBody } from './user.ts';

/** A commit as its own endpoint answers it. Its times are in UTC, whatever the author's clock said. */
export function commitBody(links: Links, commit: Commit): Schema<'commit'> {
  const { oid, author } = commit;
  const url = apiUrl(links, `/commits/${oid}`);
  const additions = commit.files.reduce((total, file) => total + file.additions, 0);
  const deletions = commit.files.reduce((total, file) => total + file.deletions, 0);
  const signature = {
    name: commit.authorName,
    email: 'somebody@example.com',
    date: formatTime(commit.authoredAt),
  };
  const account = author && userBody(links.api, author);
  return {
    url,
    sha: oid,
    node_id: `C_${oid}`,
    html_url: pageUrl(links, `/commit/${oid}`),
    comments_url: `${url}/comments`,
    commit: {
      url: apiUrl(links, `/git/commits/${oid}`),
      author: signature,
      committer: signature,
      message: commit.message,
      comment_count: 0,
      tree: { sha: oid, url: apiUrl(links, `/git/trees/${oid}`) },
      verification: {
        verified: false,
        reason: 'unsigned',
        payload: null,
        signature: null,
        verified_at: null,
      },
    },
    author: account,
    committer: account,
    parents: commit.parents.map((sha) => ({
      sha,
      url: apiUrl(links, `/commits/${sha}`),
      html_url: pageUrl(links, `/commit/${sha}`),
    })),
    stats: { additions, deletions, total: additions + deletions },
    files: commit.files.map((file) => fileBody(links, oid, file)),
  };
}

function fileBody(
  links: Links,
  oid: string,
  { path, additions, deletions }: CommitFile,
): Schema<'diff-entry'> {
  return {
    sha: oid,
    filename: path,
    status: 'modified',
    additions,
    deletions,
    changes: additions + deletions,
    blob_url: pageUrl(links, `/blob/${oid}/${path}`),
    raw_url: pageUrl(links, `/raw/${oid}/${path}`),
    contents_url: apiUrl(links, `/contents/${path}?ref=${oid}`),
  };
}
