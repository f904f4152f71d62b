import { expect, it } from 'vitest';
import { RpcError } from '../database/rpc.ts';
import { type Completions, createCompletions } from './completions.ts';
import type { Completion } from './job-queue.ts';

const completion = (jobId: string): Completion => ({ jobId, leaseToken: 'token', result: null });

const add = (completions: Completions, one: Completion): Promise<boolean> =>
  new Promise((written, failed) => completions.add(one, 10, { written, failed }));

it('writes completions that end together in one call', async () => {
  const calls: string[][] = [];
  const completions = createCompletions({
    complete: (results) => {
      calls.push(results.map(({ jobId }) => jobId));
      return Promise.resolve(new Map(results.map(({ jobId }) => [jobId, true])));
    },
  });
  const accepted = await Promise.all(['one', 'two', 'three'].map((id) => add(completions, completion(id))));
  expect(accepted).toEqual([true, true, true]);
  expect(calls).toEqual([['one', 'two', 'three']]);
});

it('writes those of a lease that has many in a call of their own, and the others together', async () => {
  const calls: string[][] = [];
  const completions = createCompletions({
    complete: (results) => {
      calls.push([...new Set(results.map(({ leaseToken }) => leaseToken))]);
      return Promise.resolve(new Map(results.map(({ jobId }) => [jobId, true])));
    },
  });
  const leases = ['few', ...Array.from({ length: 8 }, () => 'many'), 'one', 'few'];
  await Promise.all(
    leases.map((leaseToken, n) => add(completions, { ...completion(`job ${n}`), leaseToken })),
  );
  expect(calls).toEqual([['many'], ['few', 'one']]);
});

it.each([
  ['a refused one', new RpcError('complete', { code: 'PT400', message: 'results[0].enqueue' })],
  ['one whose row is locked', new RpcError('complete', { code: '55P03', message: 'lock timeout' })],
])('writes the others of a batch with %s', async (_, error) => {
  const completions = createCompletions({
    complete: (results) =>
      results.some(({ jobId }) => jobId === 'bad')
        ? Promise.reject(error)
        : Promise.resolve(new Map(results.map(({ jobId }) => [jobId, true]))),
  });
  const ends = await Promise.allSettled(['one', 'bad', 'two'].map((id) => add(completions, completion(id))));
  expect(ends).toEqual([
    { status: 'fulfilled', value: true },
    { status: 'rejected', reason: error },
    { status: 'fulfilled', value: true },
  ]);
});
