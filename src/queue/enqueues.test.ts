import { expect, it } from 'vitest';
import { RpcError } from '../database/rpc.ts';
import { createEnqueues } from './enqueues.ts';
import type { EnqueuedJob, NewJob } from './job-queue.ts';

interface Call {
  types: string[];
  answer(): void;
  refuse(error: unknown): void;
}

/** Enqueues whose calls are answered by hand: a job's id is its type. */
function enqueuesByHand() {
  const calls: Call[] = [];
  const enqueue = createEnqueues((jobs: readonly NewJob[]) => {
    const { promise, resolve, reject } = Promise.withResolvers<EnqueuedJob[]>();
    const types = jobs.map(({ type }) => type);
    const rows = types.map((id): EnqueuedJob => ({ id, status: 'queued', created: true }));
    calls.push({ types, answer: () => resolve(rows), refuse: reject });
    return promise;
  });
  const enqueueAll = (...types: string[]) => types.map((type) => enqueue({ type }));
  const call = async (n: number): Promise<Call> => {
    for (;;) {
      const made = calls[n];
      if (made) return made;
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { calls, enqueue, enqueueAll, call };
}

const rowOf = (id: string) => [{ id, status: 'queued', created: true }];

it('sends a job at once when no call is under way', () => {
  const { calls, enqueueAll } = enqueuesByHand();
  void enqueueAll('one');
  expect(calls.map(({ types }) => types)).toEqual([['one']]);
});

it('sends those that come during a call in one, and answers each with its own row', async () => {
  const { calls, enqueueAll, call } = enqueuesByHand();
  const all = Promise.all(enqueueAll('one', 'two', 'three'));
  (await call(0)).answer();
  (await call(1)).answer();
  expect(await all).toEqual(['one', 'two', 'three'].map(rowOf));
  expect(calls.map(({ types }) => types)).toEqual([['one'], ['two', 'three']]);
});

it('lets those who were answered together enqueue together again', async () => {
  const { enqueueAll, enqueue, call } = enqueuesByHand();
  const [first, ...others] = enqueueAll('one', 'two', 'three');
  const again = others.map(async (done, n) => {
    await done;
    return await enqueue({ type: `after ${n}` });
  });
  (await call(0)).answer();
  await first;
  (await call(1)).answer();
  const last = await call(2);
  expect(last.types).toEqual(['after 0', 'after 1']);
  last.answer();
  expect(await Promise.all(again)).toEqual(['after 0', 'after 1'].map(rowOf));
});

it('does not wait for the end of a call that takes long', async () => {
  const { enqueueAll, call } = enqueuesByHand();
  const [stuck, two, three] = enqueueAll('stuck', 'two', 'three');
  const second = await call(1);
  expect(second.types).toEqual(['two', 'three']);
  second.answer();
  expect(await Promise.all([two, three])).toEqual([rowOf('two'), rowOf('three')]);
  (await call(0)).answer();
  expect(await stuck).toEqual(rowOf('stuck'));
});

it.each([
  ['refused', new RpcError('enqueue', { code: 'PT400', message: 'jobs[0].type' })],
  ['blocked', new RpcError('enqueue', { code: '55P03', message: 'lock timeout' })],
])('tries those of a call that was %s each by itself', async (_, error) => {
  const { calls, enqueueAll, call } = enqueuesByHand();
  const all = Promise.allSettled(enqueueAll('one', 'bad', 'two'));
  (await call(0)).answer();
  (await call(1)).refuse(error);
  (await call(2)).refuse(error);
  (await call(3)).answer();
  expect(await all).toEqual([
    { status: 'fulfilled', value: rowOf('one') },
    { status: 'rejected', reason: error },
    { status: 'fulfilled', value: rowOf('two') },
  ]);
  expect(calls.map(({ types }) => types)).toEqual([['one'], ['bad', 'two'], ['bad'], ['two']]);
});

it('tells all of a call that was not answered, and repeats none: they may be in the queue', async () => {
  const { calls, enqueueAll, call } = enqueuesByHand();
  const all = Promise.allSettled(enqueueAll('one', 'two', 'three'));
  (await call(0)).answer();
  const reason = new RpcError('enqueue', { code: '57P01', message: 'terminating connection' });
  (await call(1)).refuse(reason);
  expect((await all).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
  expect(calls).toHaveLength(2);
});

it('sends large payloads, and what JSON cannot hold, in calls of their own', () => {
  const { calls, enqueueAll, enqueue } = enqueuesByHand();
  void enqueueAll('one', 'two');
  void enqueue({ type: 'large', payload: 'x'.repeat(100_000) });
  void enqueue({ type: 'impossible', payload: 1n });
  expect(calls.map(({ types }) => types)).toEqual([['one'], ['large'], ['impossible']]);
});

it('divides more jobs than a call may carry', async () => {
  const { calls, enqueueAll, call } = enqueuesByHand();
  void enqueueAll(...Array.from({ length: 1_002 }, (_, n) => `job ${n}`));
  (await call(0)).answer();
  await call(3);
  expect(calls.map(({ types }) => types.length)).toEqual([1, 500, 500, 1]);
});
