import { z } from 'zod';
import { defineJob } from '../define-job.ts';
import { itemReference } from './item-reference.ts';
import { requestItems } from './request-embeddings.ts';

/** Passes many items on to `embeddings/compute.requested`, 1,000 to a job. */
export const processEmbeddingBatch = defineJob({
  type: 'embedding/batch.process',
  functionId: 'handle-batch-embedding-webhook',
  title: 'Embed many items',
  lane: 'inline',
  payload: z.object({ items: z.array(itemReference).nonempty() }),
  timeoutSeconds: 30,
  run: (ctx) => {
    const { items } = ctx.payload;
    return Promise.resolve({ items: items.length, jobs: requestItems(ctx, items) });
  },
});
