import { defineJob } from '../define-job.ts';
import { embedLocally, localPayload, notSet, openModel } from './local-embedding.ts';

/** Embeds all that is due with the local model, the longest changed first. Where none is set it does nothing. */
export const generateLocalEmbeddingsBatch = defineJob({
  type: 'embeddings/batch.generate',
  functionId: 'batch-generate-embeddings',
  title: 'Embed all changed items with the local model',
  lane: 'worker',
  payload: localPayload,
  timeoutSeconds: 1800,
  concurrency: { key: () => 'local-embeddings', limit: 1 },
  cron: ['0 */6 * * *'],
  async run(ctx) {
    const embedder = await openModel(ctx);
    // Its ticks come everywhere: who does not want the model must not find four failed jobs a day.
    if (embedder === null) return { skipped: notSet };
    return await embedLocally(ctx, embedder, { items: null, repositoryId: null });
  },
});
