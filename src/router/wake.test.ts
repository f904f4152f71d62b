import { describe, expect, it } from 'vitest';
import type { Logger } from '../runtime/logger.ts';
import { createWake } from './wake.ts';

const key = 'sb_secret_wake';

function rig(answer: (count: number, init: RequestInit | undefined) => Promise<Response>) {
  const requests: { url: string; init: RequestInit | undefined }[] = [];
  const warnings: string[] = [];
  const log: Logger = {
    debug: () => {},
    info: () => {},
    warn: (fields, message) => void warnings.push(JSON.stringify(fields) + message),
    error: () => {},
    child: () => log,
  };
  const fetchStub: typeof fetch = async (url, init) => {
    requests.push({ url: typeof url === 'string' ? url : 'not a string', init });
    return await answer(requests.length, init);
  };
  const url = 'http://127.0.0.1:9/functions/v1/process-job';
  return { requests, warnings, wake: createWake({ fetch: fetchStub, url, key, log, timeoutMs: 50 }) };
}

describe('waking process-job', () => {
  it('posts an empty object with the key', async () => {
    const { requests, wake } = rig(() => Promise.resolve(new Response('{}', { status: 202 })));
    expect(await wake()).toEqual({ woken: true });
    expect(requests).toMatchObject([
      {
        url: expect.stringContaining('/process-job') as string,
        init: { method: 'POST', body: '{}', headers: { authorization: `Bearer ${key}` } },
      },
    ]);
  });

  it('makes one more call for all that come while one is under way', async () => {
    const first = Promise.withResolvers<Response>();
    const { requests, wake } = rig((count) =>
      count === 1 ? first.promise : Promise.resolve(new Response('{}')),
    );
    const all = Array.from({ length: 20 }, () => wake());
    first.resolve(new Response('{}'));
    expect(await Promise.all(all)).toEqual(Array(20).fill({ woken: true }));
    expect(requests).toHaveLength(2);
  });

  it('makes one call for each isolate, at once', async () => {
    const all = Promise.withResolvers<void>();
    const { requests, wake } = rig((count) => {
      if (count === 3) all.resolve();
      return all.promise.then(() => new Response('{}'));
    });
    expect(await wake(3)).toEqual({ woken: true });
    expect(requests).toHaveLength(3);
  });

  it('makes as many calls as the most demanding of those that came while one was under way', async () => {
    const first = Promise.withResolvers<Response>();
    const { requests, wake } = rig((count) =>
      count === 1 ? first.promise : Promise.resolve(new Response('{}')),
    );
    const all = [wake(), wake(2), wake(4), wake()];
    first.resolve(new Response('{}'));
    await Promise.all(all);
    expect(requests).toHaveLength(1 + 4);
    await wake();
    expect(requests).toHaveLength(1 + 4 + 1);
  });

  it('says so when only some of the calls failed', async () => {
    const { warnings, wake } = rig((count) =>
      Promise.resolve(new Response('{}', { status: count === 2 ? 503 : 202 })),
    );
    expect(await wake(3)).toEqual({ woken: false, reason: 'process-job answered 503' });
    expect(warnings).toHaveLength(1);
  });

  it.each([
    [
      'refuses the key',
      () => Promise.resolve(new Response('no', { status: 401 })),
      'process-job answered 401',
    ],
    ['is not there', () => Promise.reject(new TypeError('fetch failed')), 'process-job is not reachable'],
    [
      'does not answer',
      (_: number, init: RequestInit | undefined) =>
        new Promise<Response>((_resolve, reject) => {
          init?.signal?.addEventListener('abort', () => reject(init.signal?.reason as Error));
        }),
      'no answer within 50 ms',
    ],
  ] as [string, (count: number, init: RequestInit | undefined) => Promise<Response>, string][])(
    'does not fail when process-job %s, and warns without the key',
    async (_, answer, reason) => {
      const { warnings, wake } = rig(answer);
      expect(await wake()).toEqual({ woken: false, reason });
      expect(warnings).toHaveLength(1);
      expect(warnings.join()).toContain(reason);
      expect(warnings.join()).not.toContain(key);
    },
  );
});
