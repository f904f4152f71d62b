import { repositoryPayload } from '../capture/payload/repository-reference.ts';
import { defineJob } from '../define-job.ts';
import { requestRepository } from './request-embeddings.ts';

/** Passes a repository on to `embeddings/compute.requested`, which then recalculates its similarity cache. */
export const recalculateSimilarities = defineJob({
  type: 'similarity/repository.recalculate',
  functionId: 'handle-similarity-recalculation',
  title: 'Recalculate what is similar in a repository',
  lane: 'inline',
  payload: repositoryPayload,
  timeoutSeconds: 30,
  run: (ctx) => {
    requestRepository(ctx, ctx.payload.repository);
    return Promise.resolve({ jobs: 1 });
  },
});
