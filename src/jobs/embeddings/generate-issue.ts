import { z } from 'zod';
import { defineJob } from '../define-job.ts';
import { itemId } from './item-reference.ts';
import { requestItems } from './request-embeddings.ts';

/** Passes an issue on to `embeddings/compute.requested`. */
export const generateIssueEmbedding = defineJob({
  type: 'embedding/issue.generate',
  functionId: 'handle-issue-embedding-webhook',
  title: 'Embed an issue',
  lane: 'inline',
  /** Senders add the issue's repository, which its row names anyway. */
  payload: z.object({ issueId: itemId }),
  timeoutSeconds: 30,
  run: (ctx) => {
    const jobs = requestItems(ctx, [{ type: 'issue', id: ctx.payload.issueId }]);
    return Promise.resolve({ items: 1, jobs });
  },
});
