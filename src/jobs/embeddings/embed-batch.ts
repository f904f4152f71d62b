import { recordUsage } from '../ai/usage.ts';
import type { JobContext } from '../job-context.ts';
import { type DueItem, listDue, type Scope } from './due-items.ts';
import { embedInputs, type Input } from './embed-inputs.ts';
import { fillRequest } from './fill-request.ts';
import { openAiDimensions, openAiModel, requestLimits } from './openai-model.ts';
import { cutToFit, estimateTokens } from './text-size.ts';

interface DueInput extends Input {
  item: DueItem;
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
/** After so many refusals by the model without a single vector it is not the items that are at fault. */
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
 * @param mostItems - beside what one request holds
 */
export async function embedBatch(
  ctx: Context,
  scope: Scope,
  tokensPerEstimate: number,
  mostItems: number,
): Promise<BatchCounts & { tokensPerEstimate: number }> {
  const counts = { items: 0, embedded: 0, failed: 0, shortened: 0, requests: 0, tokens: 0, costMicroUsd: 0 };
  let worth = tokensPerEstimate;
  const most = { items: Math.min(requestLimits.inputs, mostItems), bytes: windowBytes };
  const due = await listDue(ctx, scope, openAiModel, most);
  const refusals: StoredRow[] = [];
  const refuse = (item: DueItem, error: string): void => {
    refusals.push({ ...keyOf(item), tokens: 0, error });
  };
  for (const item of due)
    if (item.content.trim() === '') refuse(item, 'there is no text: title and body are empty');
  const empty = refusals.length;
  const inputs = due.filter(({ content }) => content.trim() !== '').map(toInput);
  await embedInputs(firstThatFit(inputs, worth), {
    async embed(texts) {
      counts.requests += 1;
      return await ctx.openai.embed(texts, { model: openAiModel, dimensions: openAiDimensions });
    },
    async embedded(sent, answer) {
      counts.costMicroUsd += await keep(ctx, sent, answer);
      if (answer.tokens >= tellingTokens) worth = answer.tokens / estimateOf(sent);
      counts.embedded += sent.length;
      counts.tokens += answer.tokens;
      counts.shortened += sent.filter(({ item, text }) => text.length < item.content.length).length;
    },
    refused({ item }, error) {
      refuse(item, error.message);
      if (counts.embedded === 0 && refusals.length - empty >= mostRefusals) throw error;
    },
  });
  await store(ctx, refusals);
  counts.failed = refusals.length;
  counts.items = counts.embedded + counts.failed;
  return { ...counts, tokensPerEstimate: worth };
}

function toInput(item: DueItem): DueInput {
  const text = cutToFit(item.content);
  return { item, text, tokens: estimateTokens(text), cuts: 0 };
}

/** As many of the inputs as one request holds, if their estimates are worth so many tokens each. */
function firstThatFit(inputs: readonly DueInput[], worth: number): DueInput[] {
  const tokens = Math.floor((requestLimits.tokens * (worth === 1 ? 1 : margin)) / worth);
  const estimates = inputs.map((input) => input.tokens);
  return fillRequest(estimates, { inputs: requestLimits.inputs, tokens }).flatMap((at) => inputs[at] ?? []);
}

const estimateOf = (inputs: readonly DueInput[]): number =>
  inputs.reduce((sum, input) => sum + input.tokens, 0);

/**
 * Records what a request has used, and stores its vectors, each with its share of the tokens.
 * @returns the cost, in millionths of a US dollar
 */
async function keep(
  ctx: Context,
  sent: readonly DueInput[],
  { vectors, tokens }: { vectors: string[]; tokens: number },
): Promise<number> {
  const used = { input: tokens, output: 0 };
  const use = { model: openAiModel, purpose: 'embeddings', requests: 1, tokens: used };
  const cost = await recordUsage(ctx, use);
  const perEstimate = tokens / estimateOf(sent);
  const rows = sent.map(({ item, tokens: estimate }, index) => ({
    ...keyOf(item),
    tokens: Math.round(estimate * perEstimate),
    vector: vectors[index] ?? '',
  }));
  await store(ctx, rows);
  return cost;
}

type RowKey = Pick<DueItem, 'item_type' | 'item_id' | 'content_hash'> & { model: string };
type StoredRow = RowKey & { tokens: number } & ({ vector: string } | { error: string });

function keyOf({ item_type, item_id, content_hash }: DueItem): RowKey {
  return { item_type, item_id, content_hash, model: openAiModel };
}

async function store({ rpc, signal }: Context, rows: readonly StoredRow[]): Promise<void> {
  for (let start = 0; start < rows.length; start += storedTogether)
    await rpc('store_embeddings', { rows: rows.slice(start, start + storedTogether) }, { signal });
}
