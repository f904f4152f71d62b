import type { z } from 'zod';
import { defineJob } from '../define-job.ts';
import type { JobContext } from '../job-context.ts';
import { NonRetryableError } from '../outcomes.ts';
import { pullRequestPayload, type RepositoryReference } from './payload/repository-reference.ts';

/** The metrics as the table has them. */
interface ActivityRow {
  first_review_at: string | null;
  time_to_first_review_seconds: number | null;
  review_rounds: number;
  reviews: number;
  review_comments: number;
  conversation_comments: number;
  comments: number;
  participants: number;
  last_activity_at: string;
}

interface PullRequestActivity {
  /** Its number. */
  pullRequest: number;
  /** Null: nobody else has reviewed it. */
  firstReviewAt: string | null;
  timeToFirstReviewSeconds: number | null;
  reviewRounds: number;
  reviews: number;
  reviewComments: number;
  conversationComments: number;
  /** Of both kinds. */
  comments: number;
  participants: number;
  lastActivityAt: string;
}

/**
 * Recomputes the activity metrics of a pull request from the captured rows, in one call of SQL and without GitHub.
 *
 * Only submitted reviews count. Reviews by somebody else are those whose author is neither the pull request's author
 * nor a bot.
 * - time to first review: from the pull request's creation to the earliest review by somebody else, in whole seconds
 * - review rounds: distinct commits with a review by somebody else, for each round looks at a new state of the code
 * - reviews and comments: all, whoever wrote them
 * - participants: accounts that wrote the pull request, a review or a comment, without bots and deleted accounts
 * - last activity: the latest of the pull request's update, merge and closing, of its reviews, and of its comments
 *   and their edits
 */
export const updateActivity = defineJob({
  type: 'update/pr.activity',
  aliases: ['update-pr-activity'],
  title: 'Recompute the activity of a pull request',
  lane: 'inline',
  payload: pullRequestPayload,
  timeoutSeconds: 30,
  run: update,
});

async function update({
  rpc,
  signal,
  payload: { repository, prNumber },
}: JobContext<z.output<typeof pullRequestPayload>>): Promise<PullRequestActivity> {
  const { id, githubId: github_id, owner, name } = repository;
  const row = await rpc<ActivityRow | null>(
    'update_pull_request_activity',
    { repository: { id, github_id, owner, name }, pr_number: prNumber },
    { signal },
  );
  if (row === null)
    throw new NonRetryableError(
      `prNumber: expected a captured pull request, got ${prNumber} of ${nameOf(repository)}: capture it with capture/pr.details first`,
    );
  return {
    pullRequest: prNumber,
    firstReviewAt: row.first_review_at,
    timeToFirstReviewSeconds: row.time_to_first_review_seconds,
    reviewRounds: row.review_rounds,
    reviews: row.reviews,
    reviewComments: row.review_comments,
    conversationComments: row.conversation_comments,
    comments: row.comments,
    participants: row.participants,
    lastActivityAt: row.last_activity_at,
  };
}

function nameOf({ id, owner, name }: RepositoryReference): string {
  return owner === null || name === null ? `repository ${id}` : `${owner}/${name}`;
}
