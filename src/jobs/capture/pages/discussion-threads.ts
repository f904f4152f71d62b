import type { GitHub } from '../../../github/github.ts';
import { actorFields } from '../rows/actor-from-graphql.ts';
import type { Connection } from '../rows/connection.ts';
import { DiscussionRows, type UnfinishedThread } from '../rows/discussion-rows.ts';
import { commentFields, commentsAtTop, replies, type CommentNode } from '../rows/discussions-from-graphql.ts';
import { rateLimitField } from '../rows/rows-from-graphql.ts';

type Answer = Record<
  string,
  ({ comments?: Connection<CommentNode>; replies?: Connection<CommentNode> } | null)[]
>;

/**
 * The next pages of several threads in one request.
 * @param size - comments or replies of each
 */
export async function fetchThreads(
  github: GitHub,
  threads: readonly UnfinishedThread[],
  size: number,
): Promise<DiscussionRows> {
  const variables: Record<string, unknown> = { size };
  for (const [index, { of, after }] of threads.entries()) {
    variables[`ids${index}`] = [of];
    variables[`after${index}`] = after;
  }
  const answer = await github.graphql<Answer>(threadsQuery(threads), variables);
  const rows = new DiscussionRows();
  threads.forEach((thread, index) => {
    // Null: a discussion or comment that GitHub has no more, and so has its thread.
    const owner = answer[`thread${index}`]?.[0];
    const list = owner?.comments ?? owner?.replies;
    if (list) rows.addThread(list, thread);
  });
  return rows;
}

/** `nodes` rather than `node`, for GitHub's complaint that it has one of them no more is harmless then. */
function threadsQuery(threads: readonly UnfinishedThread[]): string {
  const variables = threads.map((_, index) => `$ids${index}: [ID!]!, $after${index}: String!`);
  const fields = threads.map(({ parent }, index) => {
    const page = `first: $size, after: $after${index}`;
    const [owner, list] =
      parent === null ? ['Discussion', commentsAtTop(page)] : ['DiscussionComment', replies(page)];
    return `thread${index}: nodes(ids: $ids${index}) { ... on ${owner} { ${list} } }`;
  });
  return `query restOfThreads($size: Int!, ${variables.join(', ')}) {
  ${rateLimitField}
  ${fields.join('\n  ')}
}
${commentFields}
${actorFields}`;
}
