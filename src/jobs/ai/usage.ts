import type { JobContext } from '../job-context.ts';
import { costMicroUsd } from './prices.ts';

/** What requests to a model have used. */
export interface ModelUse {
  model: string;
  /** For example `embeddings` or `narrative`. */
  purpose: string;
  requests: number;
  tokens: { input: number; output: number };
  /** For whom. Default: the platform itself. */
  userId?: string;
  /** True when the user's own key pays: the tokens count, their cost does not. Default: false. */
  paidByUser?: boolean;
}

/**
 * Adds to the day's row of `ai_usage`.
 * @returns what it cost the platform, in millionths of a US dollar
 */
export async function recordUsage(
  { rpc, signal }: Pick<JobContext<unknown>, 'rpc' | 'signal'>,
  use: ModelUse,
): Promise<number> {
  const cost = use.paidByUser ? 0 : costMicroUsd(use.model, use.tokens);
  await rpc(
    'record_ai_usage',
    {
      provider: 'openai',
      model: use.model,
      purpose: use.purpose,
      requests: use.requests,
      input_tokens: use.tokens.input,
      output_tokens: use.tokens.output,
      cost_micro_usd: cost,
      ...(use.userId === undefined ? {} : { user_id: use.userId }),
    },
    { signal },
  );
  return cost;
}
