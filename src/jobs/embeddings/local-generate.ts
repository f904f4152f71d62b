import { z } from 'zod';
import { optionalRepositoryPayload } from '../capture/payload/repository-reference.ts';
import { defineJob } from '../define-job.ts';
import type { JobContext } from '../job-context.ts';
import { NonRetryableError } from '../outcomes.ts';
import { itemReference } from './item-reference.ts';
import { knownRepositoryId } from './known-repository.ts';
import { embedLocally, type LocalEmbeddings, localPayload, notSet, openModel } from './local-embedding.ts';

/** Of one job; more belong to several. */
const mostItems = 1_000;

const payload = optionalRepositoryPayload
  .and(localPayload)
  .and(z.object({ items: z.array(itemReference).nonempty().max(mostItems).optional() }))
  .refine(({ repository, items }) => (repository === null) !== (items === undefined), {
    path: ['items'],
    message: 'expected either items [{type, id}] or a repository',
  });

type Context = JobContext<z.output<typeof payload>>;

/** Embeds the named items, or those of a repository, with the local model. */
export const generateLocalEmbeddings = defineJob({
  type: 'embeddings.generate',
  functionId: 'generate-embeddings',
  title: 'Embed items with the local model',
  lane: 'worker',
  payload,
  timeoutSeconds: 1800,
  concurrency: { key: () => 'local-embeddings', limit: 1 },
  run: generate,
});

async function generate(ctx: Context): Promise<LocalEmbeddings> {
  const { items = null, repository } = ctx.payload;
  const embedder = await openModel(ctx);
  if (embedder === null) throw new NonRetryableError(notSet);
  const repositoryId = repository && (await knownRepositoryId(ctx, repository));
  return await embedLocally(ctx, embedder, { items, repositoryId });
}
