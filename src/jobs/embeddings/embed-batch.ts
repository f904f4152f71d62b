import { recordUsage } from '../ai/usage.ts';
import type { JobContext } from '../job-context.ts';
import { embedInputs, type Input } from './embed-inputs.ts';
import { fillRequest } from './fill-request.ts';
import { openAiDimensions, openAiModel, requestLimits } from './openai-model.ts';
import { cutToFit, estimateTokens } from './text-size.ts';

/** A row of `list_due_embeddings`. */
interface DueItem {
  item_type: string;
  item_id: string;
  repository_id: string;
  content: string;
  content_hash: string;
}

interface DueInput extends Input {
  item: DueItem;
}

/** Which items to embed; null: all that are due. */
export interface Scope {
  items: { type: string; id: string }[] | null;
  repositoryId: string | null;
}

/** What a batch came to. */
export interface BatchCounts {
  /** Embedded and failed ones; 0: nothing is due any more. */
  items: number;
  embedded: number;
  /** Those for which an error is stored in place of a vector. */
  failed: number;
  /** Embedded by their beginning alone, since they are too long. */
  shortened: number;
  requests: number;
  tokens: number;
  costMicroUsd: number;
}

/** Enough content to fill a request, even where most of a text is cut off. */
const windowBytes = 3_000_000;
/** Rows of one call: 1.4 MB of vectors. */
const storedTogether = 512;
/** After so many refusals without a single vector it is not the items that are at fault. */
const mostRefusals = 20;
/** A smaller request says too little about how many tokens a text has. */
const tellingTokens = 10_000;
/** Left free, since texts differ. */
const margin = 0.985;

type Context = JobContext<unknown>;

/**
 * Embeds and stores as many due items as one request holds. What was stored is not due any more, so that a batch that is
 * repeated asks only for the rest.
 *
 * @param tokensPerEstimate - what earlier batches have shown the estimate to be worth; 1 at first
 */
export async function embedBatch(
  ctx: Context,
  scope: Scope,
  tokensPerEstimate: number,
): Promise<BatchCounts & { tokensPerEstimate: number }> {
  const counts = { items: 0, embedded: 0, failed: 0, shortened: 0, requests: 0, tokens: 0, costMicroUsd: 0 };
  let worth = tokensPerEstimate;
  const due = await listDue(ctx, scope);
  const refusals: StoredRow[] = [];
  const refuse = (item: DueItem, error: string): void => {
    refusals.push({ ...keyOf(item), tokens: 0, error });
  };
  for (const item of due)
    if (item.content.trim() === '') refuse(item, 'there is no text: title and body are empty');
  const inputs = due.filter(({ content }) => content.trim() !== '').map(toInput);
  const room = Math.floor((requestLimits.tokens * (worth === 1 ? 1 : margin)) / worth);
  const chosen = fillRequest(
    inputs.map(({ tokens }) => tokens),
    { inputs: requestLimits.inputs, tokens: room },
  ).flatMap((position) => inputs[position] ?? []);

  await embedInputs(chosen, {
    async embed(texts) {
      counts.requests += 1;
      return await ctx.openai.embed(texts, { model: openAiModel, dimensions: openAiDimensions });
    },
    async embedded(sent, { vectors, tokens }) {
      const use = {
        model: openAiModel,
        purpose: 'embeddings',
        requests: 1,
        tokens: { input: tokens, output: 0 },
      };
      counts.costMicroUsd += await recordUsage(ctx, use);
      const estimated = sent.reduce((sum, input) => sum + input.tokens, 0);
      if (tokens >= tellingTokens) worth = tokens / estimated;
      const each = tokens / estimated;
      await store(
        ctx,
        sent.map(({ item, tokens: own }, index) => ({
          ...keyOf(item),
          tokens: Math.round(own * each),
          vector: vectors[index] ?? '',
        })),
      );
      counts.embedded += sent.length;
      counts.tokens += tokens;
      counts.shortened += sent.filter(({ item, text }) => text.length < item.content.length).length;
    },
    refused({ item }, error) {
      refuse(item, error.message);
      if (counts.embedded === 0 && refusals.length >= mostRefusals) throw error;
    },
  });
  await store(ctx, refusals);
  counts.failed = refusals.length;
  counts.items = counts.embedded + counts.failed;
  return { ...counts, tokensPerEstimate: worth };
}

async function listDue({ rpc, signal }: Context, { items, repositoryId }: Scope): Promise<DueItem[]> {
  return await rpc<DueItem[]>(
    'list_due_embeddings',
    {
      items,
      repository_id: repositoryId,
      model: openAiModel,
      max_items: requestLimits.inputs,
      max_bytes: windowBytes,
    },
    { signal },
  );
}

function toInput(item: DueItem): DueInput {
  const text = cutToFit(item.content);
  return { item, text, tokens: estimateTokens(text), cuts: 0 };
}

type RowKey = Pick<DueItem, 'item_type' | 'item_id' | 'repository_id' | 'content_hash'> & { model: string };
type StoredRow = RowKey & { tokens: number } & ({ vector: string } | { error: string });

function keyOf({ item_type, item_id, repository_id, content_hash }: DueItem): RowKey {
  return { item_type, item_id, repository_id, content_hash, model: openAiModel };
}

async function store({ rpc, signal }: Context, rows: readonly StoredRow[]): Promise<void> {
  for (let start = 0; start < rows.length; start += storedTogether)
    await rpc('store_embeddings', { rows: rows.slice(start, start + storedTogether) }, { signal });
}
