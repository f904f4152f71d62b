import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from '../../../tests/support/database.ts';
import { claimNew, testHost } from '../../../tests/support/queue-host.ts';
import { createJobQueue, type JobQueue } from '../../queue/job-queue.ts';
import type { Outcome } from '../../queue/outcome.ts';
import { perform } from '../../queue/perform.ts';
import { createOutsideHttp } from '../../runtime/outside-http.ts';
import { jobFinished } from './job-finished.ts';

let database: TestDatabase;
let queue: JobQueue;

beforeAll(async () => {
  database = await createTestDatabase();
  queue = createJobQueue(database.rpc);
});
afterEach(() => expectSoundQueue(database.pool));
afterAll(() => database.close());

const inngestEvents = { url: 'https://inngest.test/e/secret-key', headers: { 'x-inngest-env': 'a-branch' } };
const payload = { jobId: crypto.randomUUID(), type: 'test/awaited', status: 'completed' };

/** One attempt, whose request is answered with `answer`. */
async function attempt(answer: () => Promise<Response>) {
  const requests: Request[] = [];
  const fetcher: typeof fetch = (input, init) => {
    requests.push(new Request(input, init));
    return answer();
  };
  const job = await claimNew(queue, { type: 'system/job.finished', payload });
  const host = testHost(
    { queue, rpc: database.rpc, catalog: [jobFinished] },
    { inngestEvents, http: { ...createOutsideHttp(), fetch: fetcher } },
  );
  return { job, requests, outcome: await perform(job, host) };
}

describe('system/job.finished', () => {
  it('posts the event jobs/finished under its own id', async () => {
    const { job, requests, outcome } = await attempt(() => Promise.resolve(Response.json({ status: 200 })));
    expect(outcome).toMatchObject({ kind: 'complete', result: { event: job.id } });
    const [request] = requests;
    expect(request?.url).toBe(inngestEvents.url);
    expect(request?.headers.get('x-inngest-env')).toBe('a-branch');
    expect(await request?.json()).toEqual([{ id: job.id, name: 'jobs/finished', data: payload }]);
  });

  it('is done where no event key is known: the waiting run finds the end by itself', async () => {
    const job = await claimNew(queue, { type: 'system/job.finished', payload });
    const host = testHost({ queue, rpc: database.rpc, catalog: [jobFinished] });
    expect(await perform(job, host)).toMatchObject({
      kind: 'complete',
      result: { skipped: expect.stringContaining('event key') as string },
    });
  });

  it.each([429, 500, 503])('tries again when Inngest answers %s', async (status) => {
    const { outcome } = await attempt(() => Promise.resolve(new Response('later', { status })));
    expect(outcome).toMatchObject({ kind: 'retry' });
  });

  it.each([400, 401, 404])('gives up when Inngest answers %s', async (status) => {
    const { outcome } = await attempt(() => Promise.resolve(new Response('no', { status })));
    expect(outcome).toMatchObject({ kind: 'failed' });
  });

  it('tries again when Inngest cannot be reached, and does not tell the key', async () => {
    const { outcome } = await attempt(() => Promise.reject(new Error(`no way to ${inngestEvents.url}`)));
    expect(outcome).toMatchObject({ kind: 'retry' });
    expect(secretOf(outcome)).toBe(false);
  });
});

const secretOf = (outcome: Outcome): boolean => JSON.stringify(outcome).includes('secret-key');
