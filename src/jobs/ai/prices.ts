/** US dollars per million tokens. */
interface Price {
  input: number;
  output: number;
}

/**
 * List prices without discounts, as "Pricing" in OpenAI's platform documentation (https://platform.openai.com/docs/pricing)
 * had them in August 2025 to our knowledge; not compared with that page since. Costs in `ai_usage` are no better than these.
 */
const prices: Readonly<Record<string, Price>> = {
  'text-embedding-3-small': { input: 0.02, output: 0 },
  'text-embedding-3-large': { input: 0.13, output: 0 },
  'text-embedding-ada-002': { input: 0.1, output: 0 },
  'gpt-4o-mini': { input: 0.15, output: 0.6 },
  'gpt-4.1-nano': { input: 0.1, output: 0.4 },
  'gpt-4.1-mini': { input: 0.4, output: 1.6 },
  'gpt-5-nano': { input: 0.05, output: 0.4 },
  'gpt-5-mini': { input: 0.25, output: 2 },
};

/**
 * What tokens cost, in millionths of a US dollar, rounded up. A dated version, such as `gpt-4o-mini-2024-07-18`, costs
 * what its model does; a model without a known price 0.
 */
export function costMicroUsd(model: string, tokens: { input: number; output: number }): number {
  const price = prices[model] ?? prices[model.replace(/-\d{4}-\d{2}-\d{2}$/, '')];
  if (price === undefined) return 0;
  // A dollar per million tokens is a millionth of a dollar per token. Rounded first: 0.1 × 3 is not 0.3 to a computer.
  const cost = tokens.input * price.input + tokens.output * price.output;
  return Math.ceil(Number(cost.toFixed(6)));
}
