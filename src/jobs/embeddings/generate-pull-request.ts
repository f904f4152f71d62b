import { z } from 'zod';
import { defineJob } from '../define-job.ts';
import { itemId } from './item-reference.ts';
import { requestItems } from './request-embeddings.ts';

const named = 'expected prId or pullRequestId, the uuid of a pull request';

/** Passes a pull request on to `embeddings/compute.requested`. */
export const generatePullRequestEmbedding = defineJob({
  type: 'embedding/pr.generate',
  functionId: 'handle-pr-embedding-webhook',
  title: 'Embed a pull request',
  lane: 'inline',
  /** Senders add the pull request's repository, which its row names anyway. */
  payload: z
    .object({ prId: itemId.nullish(), pullRequestId: itemId.nullish() })
    .transform(({ prId, pullRequestId }, ctx) => {
      const id = prId ?? pullRequestId;
      if (id != null) return { id };
      ctx.addIssue({ code: 'custom', path: ['prId'], message: named });
      return z.NEVER;
    }),
  timeoutSeconds: 30,
  run: (ctx) => {
    const jobs = requestItems(ctx, [{ type: 'pull_request', id: ctx.payload.id }]);
    return Promise.resolve({ items: 1, jobs });
  },
});
