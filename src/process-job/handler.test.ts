import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { expectSoundQueue } from '../../tests/support/database.ts';
import { describeDrivers, type OpenDriver } from '../../tests/support/drivers.ts';
import { testJob } from '../../tests/support/queue-host.ts';
import { noOpenAi } from '../../tests/support/no-openai.ts';
import { silentLogger } from '../../tests/support/silent-logger.ts';
import { DatabaseUnreachableError, RpcError, type Rpc, type UncheckedRpc } from '../database/rpc.ts';
import { NonRetryableError } from '../jobs/outcomes.ts';
import { createJobQueue, type JobQueue, type NewJob } from '../queue/job-queue.ts';
import { createOutsideHttp } from '../runtime/outside-http.ts';
import { createProcessJobHandler, type ProcessJob, type ProcessJobOptions } from './handler.ts';

const key = 'sb_secret_of_this_test';

let gate = Promise.withResolvers<void>();
const catalog = [
  testJob('test/echo', z.unknown(), (ctx) => Promise.resolve(ctx.payload)),
  testJob('test/error', z.unknown(), () => Promise.reject(new Error('try again'))),
  testJob('test/dead', z.unknown(), () => Promise.reject(new NonRetryableError('never again'))),
  testJob('test/gate', z.unknown(), () => gate.promise),
  testJob('test/parent', z.unknown(), (ctx) => {
    ctx.enqueue({ type: 'test/echo' });
    return Promise.resolve('parent');
  }),
  testJob('test/steps', z.unknown(), async (ctx) => {
    await ctx.step('one', () => Promise.resolve(1));
    return await new Promise((_resolve, reject) =>
      ctx.signal.addEventListener('abort', () => reject(new Error('stopped'))),
    );
  }),
];

const noGitHub = (): never => {
  throw new Error('this test job has no GitHub');
};

interface Served extends ProcessJob {
  wakes: number;
  /** Resolves when no background work is left. */
  idle(): Promise<void>;
}

function serve(rpc: Rpc, overrides: Partial<ProcessJobOptions> = {}): Served {
  const background = new Set<Promise<unknown>>();
  const served: Served = {
    wakes: 0,
    async idle() {
      while (background.size > 0) await Promise.allSettled(background);
    },
    ...createProcessJobHandler({
      acceptedKeys: ['another key', key],
      queue: createJobQueue(rpc),
      rpc,
      http: createOutsideHttp(),
      loadJobs: () => Promise.resolve({ catalog, github: noGitHub }),
      openai: noOpenAi,
      log: silentLogger,
      now: () => new Date(),
      worker: 'process-job of this test',
      concurrency: 5,
      leaseSeconds: 30,
      startedAt: new Date(),
      wallSeconds: 150,
      waitUntil(promise) {
        const done = promise.finally(() => background.delete(done));
        background.add(done);
      },
      wake() {
        served.wakes += 1;
        return Promise.resolve({ woken: true });
      },
      ...overrides,
    }),
  };
  return served;
}

function post(body: unknown, headers: Record<string, string> = { apikey: key }): Request {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return new Request('http://localhost/process-job', { method: 'POST', headers, body: text });
}

async function read(answer: Response): Promise<{ status: number; body: Record<string, unknown> }> {
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

const unreachable: Rpc = () => Promise.reject(new DatabaseUnreachableError('refused'));

describe('process-job lets in', () => {
  const statusFor = async (headers: Record<string, string>): Promise<number> =>
    (await serve(unreachable).handle(post({ unknown: 1 }, headers))).status;

  it.each([
    ['a Bearer key', { authorization: `Bearer ${key}` }],
    ['a bearer key in any case', { authorization: `bearer ${key}` }],
    ['a key in apikey', { apikey: key }],
    ['another accepted key', { apikey: 'another key' }],
    ['a good key beside a bad one', { apikey: 'sb_publishable_x', authorization: `Bearer ${key}` }],
  ])('%s', async (_what, headers) => expect(await statusFor(headers)).toBe(400));

  it.each<[string, Record<string, string>]>([
    ['no key', {}],
    ['a wrong key', { apikey: `${key}x` }],
    ['the beginning of a key', { apikey: key.slice(0, -1) }],
    ['an empty key', { apikey: '', authorization: 'Bearer ' }],
    ['a malformed header', { authorization: key }],
    ['a header that only a proxy would set', { 'x-forwarded-host': 'localhost', host: 'localhost' }],
  ])('nobody with %s', async (_what, headers) => {
    const answer = await serve(unreachable).handle(post({}, headers));
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    expect(await answer.text()).not.toContain(key);
  });

  it('nobody at all through another method', async () => {
    for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS']) {
      const answer = await serve(unreachable).handle(new Request('http://localhost/', { method }));
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
    }
  });

  it('nobody by a configuration without a key', () => {
    expect(() => serve(unreachable, { acceptedKeys: [] })).toThrow('acceptedKeys');
    expect(() => serve(unreachable, { acceptedKeys: [''] })).toThrow('acceptedKeys');
  });
});

describe('process-job refuses', () => {
  const jobId = '019a0000-0000-7000-8000-000000000000';

  it.each([
    ['bad JSON', '{"jobId":', 'body'],
    ['an array', '[]', 'body'],
    ['null', 'null', 'body'],
    ['a number', '7', 'body'],
    ['a bad uuid', { jobId: '42' }, 'jobId'],
    ['a jobId that is no text', { jobId: 42 }, 'jobId'],
    ['a null jobId', { jobId: null }, 'jobId'],
    ['an unknown field', { job_id: jobId }, 'job_id'],
    ['immediate without jobId', { immediate: true }, 'jobId'],
    ['immediate that is no boolean', { jobId, immediate: 'yes' }, 'immediate'],
  ])('%s', async (_what, body, field) => {
    const { status, body: answer } = await read(await serve(unreachable).handle(post(body)));
    expect([status, answer.field]).toEqual([400, field]);
    expect(answer.error).toContain(field);
  });

  it('a body over 64 kB', async () => {
    const { status } = await read(await serve(unreachable).handle(post(`{"jobId":"${'x'.repeat(70_000)}"}`)));
    expect(status).toBe(413);
  });

  it.each([[''], [{}], [{ jobId }], [{ jobId, immediate: true }]])(
    'to say anything about %j without its database',
    async (body) => {
      const { status, body: answer } = await read(await serve(unreachable).handle(post(body)));
      expect([status, answer]).toEqual([503, { error: 'the database is unreachable' }]);
    },
  );

  it('with no internals when the database refuses', async () => {
    const refusing: UncheckedRpc = (name) =>
      Promise.reject(new RpcError(name, { code: '42501', message: 'permission denied for sb_secret_x' }));
    const { status, body } = await read(await serve(refusing).handle(post({})));
    expect([status, body]).toEqual([500, { error: 'internal error' }]);
  });
});

describeDrivers('process-job', (driver) => {
  let open: OpenDriver;
  let queue: JobQueue;

  beforeAll(async () => {
    open = await driver.open();
    queue = createJobQueue(open.rpc);
  });
  afterAll(async () => await open.close());
  beforeEach(async () => {
    gate = Promise.withResolvers();
    await open.pool.query('delete from background_jobs');
  });
  afterEach(async () => await expectSoundQueue(open.pool));

  async function enqueue(job: NewJob): Promise<string> {
    const [enqueued] = await queue.enqueue([job]);
    return enqueued?.id ?? '';
  }

  it('says when there is nothing to do, to {} and to an empty body', async () => {
    const processJob = serve(open.rpc);
    for (const body of ['{}', '', ' \n'])
      expect(await read(await processJob.handle(post(body)))).toEqual({
        status: 200,
        body: { message: 'No jobs in queue', jobs: [] },
      });
  });

  it('names the jobs it began and keeps draining in the background', async () => {
    const processJob = serve(open.rpc, { concurrency: 1 });
    const ids = [
      await enqueue({ type: 'test/echo', payload: { n: 1 } }),
      await enqueue({ type: 'test/echo' }),
    ];
    expect(await read(await processJob.handle(post({})))).toEqual({
      status: 202,
      body: { status: 'processing', jobs: [{ jobId: ids[0], type: 'test/echo' }] },
    });
    await processJob.idle();
    for (const id of ids) expect(await queue.get(id)).toMatchObject({ status: 'completed' });
  });

  it('drains once at a time, and a wake during the drain is not lost', async () => {
    const processJob = serve(open.rpc);
    await enqueue({ type: 'test/gate' });
    await processJob.handle(post({}));
    const late = await enqueue({ type: 'test/echo' });
    expect(await read(await processJob.handle(post({})))).toEqual({
      status: 202,
      body: { status: 'processing', jobs: [] },
    });
    await vi.waitFor(
      async () => expect(await queue.get(late)).toMatchObject({ status: 'completed' }),
      20_000,
    );
    gate.resolve();
    await processJob.idle();
  });

  it('runs a named job in the background', async () => {
    const processJob = serve(open.rpc);
    const jobId = await enqueue({ type: 'test/gate', runAt: new Date(Date.now() + 600_000) });
    const answer = await read(await processJob.handle(post({ jobId: jobId.toUpperCase() })));
    expect(answer).toEqual({ status: 202, body: { jobId, status: 'processing' } });
    expect(await read(await processJob.handle(post({ jobId })))).toMatchObject({
      status: 409,
      body: {
        jobId,
        status: 'processing',
        reason: expect.stringContaining('process-job of this test') as string,
      },
    });
    gate.resolve();
    await processJob.idle();
    expect(await queue.get(jobId)).toMatchObject({ status: 'completed' });
  });

  it('does not know every job, and does not run one twice', async () => {
    const processJob = serve(open.rpc);
    const unknown = crypto.randomUUID();
    expect(await read(await processJob.handle(post({ jobId: unknown })))).toMatchObject({
      status: 404,
      body: { jobId: unknown },
    });
    const jobId = await enqueue({ type: 'test/echo' });
    await processJob.handle(post({ jobId, immediate: true }));
    expect(await read(await processJob.handle(post({ jobId, immediate: true })))).toMatchObject({
      status: 409,
      body: { jobId, status: 'completed' },
    });
  });

  it('waits for a job that is wanted immediately', async () => {
    const jobId = await enqueue({ type: 'test/echo', payload: { hello: 'world' } });
    const { status, body } = await read(await serve(open.rpc).handle(post({ jobId, immediate: true })));
    expect([status, body]).toEqual([
      200,
      { jobId, status: 'completed', result: { hello: 'world' }, durationMs: expect.any(Number) as number },
    ]);
  });

  it.each([
    ['test/error', 'queued', 'try again'],
    ['test/dead', 'failed', 'never again'],
    ['test/unknown', 'failed', 'job test/unknown: unknown job type, nothing here can run it'],
  ])('tells that the attempt at %s left the job %s', async (type, status, error) => {
    const jobId = await enqueue({ type });
    const answer = await read(await serve(open.rpc).handle(post({ jobId, immediate: true })));
    expect(answer).toMatchObject({ status: 200, body: { jobId, status, result: null, error } });
    expect(await queue.get(jobId)).toMatchObject({ status, error });
  });

  it('tells of no error when the job completed but the answer to its completion got lost', async () => {
    let lost = 1;
    const losing: Rpc = async <Result>(...call: Parameters<UncheckedRpc>): Promise<Result> => {
      const answer = await open.rpc<Result>(...call);
      if (call[0] === 'complete_job_batch' && lost-- > 0) throw new DatabaseUnreachableError('cut');
      return answer;
    };
    const jobId = await enqueue({ type: 'test/echo', payload: { n: 1 } });
    const { status, body } = await read(await serve(losing).handle(post({ jobId, immediate: true })));
    expect([status, body]).toEqual([
      200,
      { jobId, status: 'completed', result: { n: 1 }, durationMs: expect.any(Number) as number },
    ]);
  });

  it('runs the follow-ups of a job that was wanted immediately', async () => {
    const processJob = serve(open.rpc);
    const jobId = await enqueue({ type: 'test/parent' });
    await processJob.handle(post({ jobId, immediate: true }));
    await processJob.idle();
    const { rows } = await open.pool.query('select type, status from background_jobs order by id');
    expect(rows).toEqual([
      { type: 'test/parent', status: 'completed' },
      { type: 'test/echo', status: 'completed' },
    ]);
  });

  it('lets go of everything when its host ends, and wakes another', async () => {
    const processJob = serve(open.rpc);
    const jobId = await enqueue({ type: 'test/steps' });
    await processJob.handle(post({}));
    await vi.waitFor(async () => {
      expect((await open.pool.query('select from background_job_steps')).rows).toHaveLength(1);
    }, 20_000);
    await processJob.release();
    expect(await queue.get(jobId)).toMatchObject({ status: 'queued', retryCount: 0 });
    expect(processJob.wakes).toBeGreaterThan(0);
    expect((await processJob.handle(post({ jobId }))).status).toBe(503);
    await processJob.idle();
  });

  it('hands off before its wall limit, claims no more, and wakes as many as the work left asks for', async () => {
    await open.pool.query(`update job_settings set value = '1' where name = 'edge_jobs_per_isolate'`);
    const woken: (number | undefined)[] = [];
    const wake = (isolates?: number) => Promise.resolve({ woken: woken.push(isolates) > 0 });
    const processJob = serve(open.rpc, { wallSeconds: 4, concurrency: 1, wake });
    const jobId = await enqueue({ type: 'test/steps' });
    const waiting = await enqueue({ type: 'test/echo' });
    await enqueue({ type: 'test/echo' });
    await processJob.handle(post({}));
    await processJob.idle();
    expect(await queue.get(jobId)).toMatchObject({ status: 'queued', retryCount: 0 });
    expect(await queue.get(waiting)).toMatchObject({ status: 'queued' });
    expect(woken[0]).toBe(2);
  });

  it('passes a wake on that comes too late in its life', async () => {
    const processJob = serve(open.rpc, { startedAt: new Date(Date.now() - 100_000) });
    const jobId = await enqueue({ type: 'test/echo' });
    const answers = await Promise.all([1, 2, 3].map(async () => await processJob.handle(post({}))));
    for (const answer of answers)
      expect(await read(answer)).toMatchObject({ status: 202, body: { jobs: [] } });
    await processJob.idle();
    expect(processJob.wakes).toBe(1);
    expect(await queue.get(jobId)).toMatchObject({ status: 'queued' });
  });

  it.each(['drains', 'is to run a named job'])(
    'gives back what it claimed when it %s and cannot load the jobs, and claims nothing until it can',
    async (task) => {
      let claims = 0;
      const watched: Rpc = <Result>(...call: Parameters<UncheckedRpc>): Promise<Result> => {
        if (call[0].startsWith('claim_')) claims += 1;
        return open.rpc<Result>(...call);
      };
      let broken = true;
      const loadJobs = () =>
        broken
          ? Promise.reject(new TypeError('a job is malformed'))
          : Promise.resolve({ catalog, github: noGitHub });
      const processJob = serve(watched, { loadJobs });
      const jobId = await enqueue({ type: 'test/echo' });
      for (const body of [task === 'drains' ? {} : { jobId }, {}, { jobId, immediate: true }]) {
        const answer = await read(await processJob.handle(post(body)));
        expect(answer).toEqual({ status: 500, body: { error: 'internal error' } });
        await processJob.idle();
        expect(await queue.get(jobId)).toMatchObject({ status: 'queued', retryCount: 0 });
      }
      expect(claims).toBe(1);
      broken = false;
      expect((await processJob.handle(post({ jobId, immediate: true }))).status).toBe(200);
      expect(await queue.get(jobId)).toMatchObject({ status: 'completed', retryCount: 0 });
      await processJob.idle();
    },
  );

  it('tells SQL which job kinds it knows', async () => {
    const processJob = serve(open.rpc);
    await processJob.handle(post({}));
    await processJob.idle();
    const { rows } = await open.pool.query(`select from job_types where type = 'test/echo'`);
    expect(rows).toHaveLength(1);
  });
});
