import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fillRequest } from './fill-request.ts';

const limits = { inputs: 50, tokens: 1_000 };
const sizes = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 400 });
const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

describe('the inputs of a request', () => {
  it('never exceed its limits, and leave no room for any that stays', () => {
    fc.assert(
      fc.property(sizes, (tokens) => {
        const chosen = fillRequest(tokens, limits);
        const filled = sum(chosen.map((position) => tokens[position] ?? 0));
        expect(chosen.length).toBeLessThanOrEqual(limits.inputs);
        expect(filled).toBeLessThanOrEqual(limits.tokens);
        const left = tokens.filter((_, position) => !chosen.includes(position));
        if (chosen.length < limits.inputs)
          for (const count of left) expect(filled + count).toBeGreaterThan(limits.tokens);
      }),
    );
  });

  it('are as many as there are where all have room', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 50 }), (tokens) => {
        expect(fillRequest(tokens, limits)).toEqual([...tokens.keys()]);
      }),
    );
  });

  it('fill so few requests that one less could hold no tenth more', () => {
    fc.assert(
      fc.property(sizes, (tokens) => {
        let left = tokens;
        let requests = 0;
        for (; left.length > 0; requests += 1) {
          const chosen = new Set(fillRequest(left, limits));
          left = left.filter((_, position) => !chosen.has(position));
        }
        const least = Math.max(tokens.length / limits.inputs, sum(tokens) / (limits.tokens * 0.9));
        expect(requests).toBeLessThanOrEqual(Math.ceil(least) + 1);
      }),
    );
  });

  it('are the first alone where that is too large already', () => {
    expect(fillRequest([2_000, 1], limits)).toEqual([0]);
  });
});
