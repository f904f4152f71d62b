import { z } from 'zod';
import { optionalRepositoryPayload } from '../capture/payload/repository-reference.ts';
import { defineJob } from '../define-job.ts';
import type { JobContext } from '../job-context.ts';
import { type BatchCounts, embedBatch } from './embed-batch.ts';
import { itemReference } from './item-reference.ts';
import { knownRepositoryId } from './known-repository.ts';
import { openAiModel } from './openai-model.ts';

const payload = optionalRepositoryPayload
  .and(
    z.object({
      /** Only these. Default: all that are due. */
      items: z.array(itemReference).nonempty().max(10_000).optional(),
      /** Recompute the repository's similarity cache afterwards. Default: false. */
      similarities: z.boolean().default(false),
      /** So many items at most; the rest waits for the next run. Default: 100,000. */
      maxItems: z.int().positive().default(100_000),
    }),
  )
  .refine(({ repository, similarities }) => !similarities || repository !== null, {
    path: ['repository'],
    message: 'expected the repository whose similarities are to be recalculated',
  });

type Context = JobContext<z.output<typeof payload>>;

interface ComputedEmbeddings extends BatchCounts {
  /** True when `maxItems` ended the run. */
  truncated: boolean;
  /** Items whose lists of similar items were made anew; null: not asked for. */
  similarities: number | null;
}

/** Similar items that the cache keeps of each. */
const similarPerItem = 10;

/**
 * Embeds issues, pull requests and discussions whose title or body changed, the longest changed first: a batch is one
 * request to OpenAI and one checkpoint. An item that OpenAI refuses gets an error in place of its vector, and is tried
 * again when it changes.
 */
export const computeEmbeddings = defineJob({
  type: 'embeddings/compute.requested',
  functionId: 'compute-embeddings',
  title: 'Embed what changed',
  lane: 'edge',
  payload,
  cron: ['*/15 * * * *'],
  // On a lane without a limit of its own; where the host has less time, the job goes on in the next slice.
  timeoutSeconds: 3_600,
  // Two runs at the same time would find the same items due, and pay for them twice.
  concurrency: { key: () => 'embeddings by OpenAI', limit: 1 },
  quota: ['openai:embeddings'],
  run: compute,
});

async function compute(ctx: Context): Promise<ComputedEmbeddings> {
  const { items = null, maxItems, similarities, repository } = ctx.payload;
  const repositoryId = repository && (await ctx.step('repository', () => knownRepositoryId(ctx, repository)));
  const total = { items: 0, embedded: 0, failed: 0, shortened: 0, requests: 0, tokens: 0, costMicroUsd: 0 };
  let worth = 1;
  let isDone = false;
  for (let batch = 1; !isDone && total.items < maxItems; batch += 1) {
    const most = maxItems - total.items;
    const { tokensPerEstimate, ...counts } = await ctx.step(`batch ${batch}`, () =>
      embedBatch(ctx, { items, repositoryId }, worth, most),
    );
    worth = tokensPerEstimate;
    isDone = counts.items === 0;
    for (const key of Object.keys(total) as (keyof BatchCounts)[]) total[key] += counts[key];
    await report(ctx, total);
  }
  const lists = similarities && repositoryId !== null ? await recalculate(ctx, repositoryId) : null;
  return { ...total, truncated: !isDone, similarities: lists };
}

/** How much is due is known only for named items; otherwise the percentage is that of `maxItems`. */
async function report(ctx: Context, { items, embedded, failed }: BatchCounts): Promise<void> {
  const expected = ctx.payload.items?.length ?? ctx.payload.maxItems;
  const message = `${embedded.toLocaleString('en-US')} embedded, ${failed.toLocaleString('en-US')} failed`;
  await ctx.progress(Math.min(99, (99 * items) / expected), message);
}

/** As many lists in a step as the database makes at once. */
async function recalculate(ctx: Context, repositoryId: string): Promise<number> {
  const wanted = { repository_id: repositoryId, max_per_item: similarPerItem, model: openAiModel };
  let total = 0;
  for (let part = 1; ; part += 1) {
    const made = await ctx.step(`similarities ${part}`, () =>
      ctx.rpc<number>('recalculate_similarities', wanted, { signal: ctx.signal }),
    );
    if (made === 0) return total;
    total += made;
  }
}
