import { expect, it } from 'vitest';
import { costMicroUsd } from './prices.ts';

it.each([
  ['text-embedding-3-small', { input: 1_000_000, output: 0 }, 20_000],
  ['text-embedding-3-small', { input: 1, output: 0 }, 1],
  ['gpt-4o-mini', { input: 1_000, output: 1_000 }, 750],
  ['gpt-4o-mini-2024-07-18', { input: 1_000, output: 1_000 }, 750],
  ['gpt-4.1-nano', { input: 30, output: 0 }, 3],
  ['a-model-of-ones-own', { input: 1_000_000, output: 0 }, 0],
])('%s for %j costs %d millionths of a dollar', (model, tokens, cost) => {
  expect(costMicroUsd(model, tokens)).toBe(cost);
});
