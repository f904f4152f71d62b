import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from '../../tests/support/database.ts';
import { claimNew, testHost, testJob } from '../../tests/support/queue-host.ts';
import type { RpcCall } from '../database/rpc-call.ts';
import { DatabaseUnreachableError, type Rpc, RpcError } from '../database/rpc.ts';
import type { JobContext } from '../jobs/job-context.ts';
import { NonRetryableError, SnoozeError } from '../jobs/outcomes.ts';
import { createJobQueue, type ClaimedJob, type JobQueue, type NewJob } from './job-queue.ts';
import type { Outcome } from './outcome.ts';
import type { PerformHostOptions } from './perform-host.ts';
import { perform } from './perform.ts';

let database: TestDatabase;
let queue: JobQueue;

beforeAll(async () => {
  database = await createTestDatabase();
  queue = createJobQueue(database.rpc);
});
afterAll(async () => await database.close());
afterEach(async () => await expectSoundQueue(database.pool));

type Run = (ctx: JobContext<unknown>) => Promise<unknown>;
type Overrides = Partial<PerformHostOptions>;

/** Performs an already claimed job with `run` as its definition. */
async function performClaimed(job: ClaimedJob, run: Run, overrides: Overrides = {}): Promise<Outcome> {
  const catalog = [testJob(job.type, z.unknown(), run)];
  return await perform(job, testHost({ queue, rpc: database.rpc, catalog }, overrides));
}

async function performNew(
  run: Run,
  job: Partial<NewJob> = {},
  overrides: Overrides = {},
): Promise<{ outcome: Outcome; id: string; row: Awaited<ReturnType<JobQueue['get']>> }> {
  const claimed = await claimNew(queue, { type: 'test/job', ...job });
  const outcome = await performClaimed(claimed, run, overrides);
  return { outcome, id: claimed.id, row: await queue.get(claimed.id) };
}

async function attemptsOf(id: string): Promise<{ outcome: string; error: { message: string } | null }[]> {
  const sql = 'select outcome, error from background_job_attempts where job_id = $1 order by number';
  const { rows } = await database.pool.query<{ outcome: string; error: { message: string } | null }>(sql, [
    id,
  ]);
  return rows;
}

/** Resolves when the attempt is told to stop, with the reason it was given. */
function untilStopped({ signal }: JobContext<unknown>): Promise<string> {
  return new Promise((resolve) =>
    signal.addEventListener('abort', () => resolve((signal.reason as Error).message), { once: true }),
  );
}

const throwing = (thrown: unknown) => (): never => {
  throw thrown;
};

const never = (): Promise<never> => new Promise(() => undefined);

describe('a job that ends by itself', () => {
  it('completes with what it returns', async () => {
    const { outcome, row } = await performNew(() => Promise.resolve({ prs: 100 }));
    expect(outcome).toEqual({ kind: 'complete', result: { prs: 100 }, followUps: 0 });
    expect(row).toMatchObject({ status: 'completed', result: { prs: 100 }, error: null });
  });

  it('completes with null when it returns nothing, and with text that Postgres can hold', async () => {
    expect((await performNew(() => Promise.resolve(undefined))).row).toMatchObject({ result: null });
    const hostile = { 'a\u0000b': 'nul \u0000, half \ud83d, whole 🙂', at: new Date(0) };
    expect((await performNew(() => Promise.resolve(hostile))).row).toMatchObject({
      status: 'completed',
      result: { 'a\ufffdb': 'nul \ufffd, half \ufffd, whole 🙂', at: '1970-01-01T00:00:00.000Z' },
    });
  });

  it.each([
    ['a BigInt', () => ({ big: 1n }), /result: expected a value that has a JSON form.*BigInt/],
    ['more than 1 MB', () => 'x'.repeat(1_100_000), /result: expected at most 1048576 bytes/],
  ])('fails for good when it returns %s', async (_what, make, message) => {
    const { row } = await performNew(() => Promise.resolve(make()));
    expect(row).toMatchObject({
      status: 'failed',
      retryCount: 0,
      error: expect.stringMatching(message) as string,
    });
  });

  it('retries after an error, and keeps the error of every attempt', async () => {
    const { outcome, id, row } = await performNew(() => Promise.reject(new Error('GitHub said 502')));
    expect(outcome.kind).toBe('retry');
    expect(row).toMatchObject({ status: 'queued', retryCount: 1, error: 'GitHub said 502' });
    expect(await attemptsOf(id)).toMatchObject([
      { outcome: 'failed', error: { message: 'GitHub said 502' } },
    ]);
  });

  it('retries when the error wants it', async () => {
    const error = Object.assign(new Error('busy'), { retryAfterSeconds: 3_000 });
    const { row } = await performNew(() => Promise.reject(error));
    expect(row?.runAt.getTime()).toBeGreaterThan(Date.now() + 2_900_000);
  });

  it('fails for good when its retries are spent, or when the error is non-retryable', async () => {
    const spent = await performNew(() => Promise.reject(new Error('again')), { maxRetries: 0 });
    expect([spent.outcome.kind, spent.row?.status]).toEqual(['failed', 'failed']);
    const final = await performNew(() => Promise.reject(new NonRetryableError('404')));
    expect(final.row).toMatchObject({ status: 'failed', retryCount: 0, error: '404' });
  });

  it('snoozes and spends no retry', async () => {
    const until = new Date(Date.now() + 3_600_000);
    const { outcome, row } = await performNew(() => Promise.reject(new SnoozeError(until, 'rate limit')));
    expect(outcome).toEqual({ kind: 'snooze', until, reason: 'rate limit' });
    expect(row).toMatchObject({ status: 'queued', retryCount: 0, runAt: until });
  });

  it('enqueues its follow-ups when it completes, and none when it fails', async () => {
    const both = (ctx: JobContext<unknown>): void => {
      ctx.enqueue({ type: 'test/next', payload: { n: 1 } });
      ctx.enqueue({ type: 'test/next', payload: { n: 2 } });
    };
    await performNew((ctx) => Promise.resolve(both(ctx)).then(() => Promise.reject(new Error('no'))));
    expect(await queue.claim({ lane: 'edge', worker: 'w', maxJobs: 9, leaseSeconds: 30 })).toEqual([]);
    const { outcome } = await performNew((ctx) => Promise.resolve(both(ctx)));
    expect(outcome).toMatchObject({ kind: 'complete', followUps: 2 });
    const next = await queue.claim({ lane: 'edge', worker: 'w', maxJobs: 9, leaseSeconds: 30 });
    expect(next.map(({ payload }) => payload)).toEqual([{ n: 1 }, { n: 2 }]);
  });

  it('fails for good when the database refuses a follow-up, and takes no neighbour with it', async () => {
    const host = testHost({
      queue,
      rpc: database.rpc,
      catalog: [
        testJob('test/good', z.unknown(), () => Promise.resolve('good')),
        testJob('test/bad', z.unknown(), (ctx) => {
          ctx.enqueue({ type: 'test/next', priority: 0.5 });
          return Promise.resolve('bad');
        }),
      ],
    });
    const jobs = await Promise.all(['test/good', 'test/bad'].map((type) => claimNew(queue, { type })));
    const [good, bad] = await Promise.all(jobs.map((job) => perform(job, host)));
    expect(good?.kind).toBe('complete');
    expect(bad?.kind).toBe('failed');
    const row = await queue.get(jobs[1]?.id ?? '');
    expect(row?.error).toMatch(/^job test\/bad: its result was refused: .*priority: expected a whole number/);
  });
});

describe('what a job throws', () => {
  it.each([
    ['a string', 'just text', /thrown value: just text/],
    ['null', null, /thrown value: null/],
    ['an object without a message', {}, /without a message/],
  ])('may be %s', async (_what, thrown, message) => {
    const { row } = await performNew(() => Promise.resolve().then(throwing(thrown)));
    expect(row).toMatchObject({ status: 'queued', error: expect.stringMatching(message) as string });
  });

  it('may be hostile: a cycle of causes, throwing getters, endless text, secrets', async () => {
    const token = `ghp_${'a'.repeat(36)}`;
    const error = new Error(`Bearer abcdefgh1234 ${token} sb_secret_abcdefgh \u0000 ${'x'.repeat(50_000)}`);
    error.cause = error;
    Object.defineProperty(error, 'stack', { get: () => { throw new Error('no stack for you'); } }); // prettier-ignore
    const { row } = await performNew(() => Promise.reject(error));
    expect(row?.status).toBe('queued');
    expect(row?.error?.length).toBeLessThanOrEqual(10_000);
    expect(row?.error).not.toMatch(/ghp_|abcdefgh/);
  });
});

describe('a job that cannot run', () => {
  it('fails for good when its type is unknown', async () => {
    const job = await claimNew(queue, { type: 'test/unknown' });
    const outcome = await perform(job, testHost({ queue, rpc: database.rpc, catalog: [] }));
    expect(outcome.kind).toBe('failed');
    expect(await queue.get(job.id)).toMatchObject({
      status: 'failed',
      error: 'job test/unknown: unknown job type, nothing here can run it',
    });
  });

  it('fails for good when its payload is wrong, naming every wrong field and no private value', async () => {
    const payload = z.strictObject({
      prNumber: z.number(),
      api: z.enum(['rest', 'graphql']),
      days: z.number().min(1).max(90),
      owner: z.string(),
    });
    const catalog = [testJob('capture/x', payload, () => Promise.resolve(null))];
    const wrong = { prNumber: 'my password', api: 'soap', days: 0, extra: true };
    const job = await claimNew(queue, { type: 'capture/x', payload: wrong });
    await perform(job, testHost({ queue, rpc: database.rpc, catalog }));
    const row = await queue.get(job.id);
    expect(row).toMatchObject({ status: 'failed', retryCount: 0 });
    for (const part of [
      'job capture/x: ',
      'payload.prNumber: expected number, got string',
      'payload.api: expected "rest" or "graphql", got "soap"',
      'payload.days: expected number of at least 1, got 0',
      'payload.owner: expected string, got nothing',
      'payload.extra: unknown field',
    ])
      expect(row?.error).toContain(part);
    expect(row?.error).not.toContain('password');
  });

  it('goes back unharmed when the host has no time left for it', async () => {
    const { outcome, row } = await performNew(never, {}, { deadline: new Date() });
    expect(outcome.kind).toBe('snooze');
    expect(row).toMatchObject({ status: 'queued', retryCount: 0 });
  });

  it('goes back unharmed when the host has no time left for its first step', async () => {
    const oneStep: Run = (ctx) => ctx.step('one', () => Promise.resolve(1));
    const { outcome, row } = await performNew(oneStep, {}, { stopStepsAt: new Date() });
    expect(outcome.kind).toBe('snooze');
    expect(row).toMatchObject({ status: 'queued', retryCount: 0 });
  });
});

describe('steps', () => {
  it('run once in the life of a job and look the same when resumed', async () => {
    const seen: unknown[] = [];
    let calls = 0;
    const run: Run = async (ctx) => {
      const saved = await ctx.step('load', () => {
        calls += 1;
        return Promise.resolve({ at: new Date(0), none: undefined });
      });
      seen.push(saved);
      if (ctx.retryCount === 0) throw new Error('after the step');
      return 'done';
    };
    const { id } = await performNew(run);
    const again = await queue.claimOne(id, 'w', 30);
    if (!again) throw new Error('not claimable');
    expect(await performClaimed(again, run)).toMatchObject({ kind: 'complete', result: 'done' });
    expect(calls).toBe(1);
    expect(seen).toEqual([{ at: '1970-01-01T00:00:00.000Z' }, { at: '1970-01-01T00:00:00.000Z' }]);
  });

  it('must have names of their own', async () => {
    const { row } = await performNew(async (ctx) => {
      await ctx.step('page', () => Promise.resolve(1));
      await ctx.step('page', () => Promise.resolve(2));
    });
    expect(row).toMatchObject({
      status: 'failed',
      error: 'job test/job: step "page" is used twice in one run',
    });
  });

  it('stop for the hand-off: a slice that saved one is free, and the next slice goes on from there', async () => {
    const ran: string[] = [];
    let time = 0;
    const run: Run = async (ctx) => {
      for (const page of ['one', 'two', 'three'])
        await ctx.step(page, () => {
          ran.push(page);
          time += 1;
          return Promise.resolve(page);
        });
      return 'all pages';
    };
    const job = await claimNew(queue, { type: 'test/pages' });
    const outcomes: string[] = [];
    for (let claimed: ClaimedJob | null = job; claimed; claimed = await queue.claimOne(job.id, 'w', 30)) {
      time = 0;
      // Every slice has time for one step.
      const now = (): Date => new Date(1_000 * time);
      const stopStepsAt = new Date(1_000);
      const outcome = await performClaimed(claimed, run, { now, stopStepsAt, deadline: new Date(600_000) });
      outcomes.push(outcome.kind);
    }
    expect(outcomes).toEqual(['hand-off', 'hand-off', 'complete']);
    expect(ran).toEqual(['one', 'two', 'three']);
    expect(await queue.get(job.id)).toMatchObject({
      status: 'completed',
      result: 'all pages',
      retryCount: 0,
    });
  });

  it('hand off even when the job swallows the refusal', async () => {
    const swallow: Run = async (ctx) => {
      await ctx.step('late', () => Promise.resolve(1)).catch(() => 'ignored');
      return 'as if nothing happened';
    };
    let time = 0;
    const late: Run = (ctx) => {
      time = 1_000;
      return swallow(ctx);
    };
    const hosting = { now: () => new Date(time), stopStepsAt: new Date(1_000), deadline: new Date(600_000) };
    const { outcome, row } = await performNew(late, {}, hosting);
    expect(outcome.kind).toBe('hand-off');
    expect(row).toMatchObject({ status: 'queued', retryCount: 1, result: null });
  });

  it('find out that the lease is lost, and nothing changes after that', async () => {
    const { outcome, row } = await performNew(async (ctx) => {
      await database.pool.query(`update background_jobs set status = 'queued' where id = $1`, [ctx.jobId]);
      await ctx.step('too late', () => Promise.resolve(1)).catch(() => undefined);
      return 'too late, too';
    });
    expect(outcome).toEqual({ kind: 'lost' });
    expect(row).toMatchObject({ status: 'queued', result: null });
  });
});

describe('a job that is told to stop', () => {
  it('times out and is retried, with its own error as the cause', async () => {
    const { outcome, id, row } = await performNew(
      async (ctx) => {
        throw new Error(`stopped: ${await untilStopped(ctx)}`);
      },
      { timeoutSeconds: 1 },
    );
    const causes = [{ name: 'Error', message: 'stopped: job test/job: timed out after 1 s' }];
    expect(outcome).toMatchObject({ kind: 'retry', error: { name: 'TimeoutError', causes } });
    expect(row).toMatchObject({ status: 'queued', error: 'job test/job: timed out after 1 s' });
    expect(await attemptsOf(id)).toMatchObject([{ outcome: 'timed_out' }]);
  });

  it('times out although it ignores its signal, and what it does later is ignored', async () => {
    let settle: (error: Error) => void = () => undefined;
    const stubborn = new Promise((_resolve, reject) => (settle = reject));
    const { outcome, row } = await performNew(() => stubborn, { timeoutSeconds: 1 });
    expect(outcome.kind).toBe('retry');
    settle(new Error('much later'));
    expect(await queue.get(row?.id ?? '')).toEqual(row);
  });

  it('keeps what it finished although time was up', async () => {
    const { row } = await performNew(untilStopped, { timeoutSeconds: 1 });
    expect(row).toMatchObject({ status: 'completed' });
  });

  it('is cancelled through the heartbeat', async () => {
    const { outcome, row } = await performNew(
      async (ctx) => {
        await database.pool.query('select cancel_background_job($1)', [ctx.jobId]);
        return await untilStopped(ctx);
      },
      {},
      { leaseSeconds: 3 },
    );
    expect(outcome).toEqual({ kind: 'cancelled' });
    expect(row).toMatchObject({ status: 'cancelled', result: null });
  });

  it('hears through the heartbeat that a hand edit took its lease, and changes nothing', async () => {
    const { outcome, row } = await performNew(
      async (ctx) => {
        const sql = `update background_jobs set status = 'failed', error = 'by hand', failed_at = now() where id = $1`;
        await database.pool.query(sql, [ctx.jobId]);
        return await untilStopped(ctx);
      },
      {},
      { leaseSeconds: 3 },
    );
    expect(outcome).toEqual({ kind: 'lost' });
    expect(row).toMatchObject({ status: 'failed', error: 'by hand', result: null });
  });

  it('gives a call up that nobody answers once the lease is lost, so that its connection is free for others', async () => {
    const silent = ((...[, , options]: RpcCall) =>
      new Promise((_resolve, reject) => {
        const { signal } = options ?? {};
        signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      })) as Rpc;
    const asked = Promise.withResolvers<unknown>();
    const { outcome } = await performNew(
      async (ctx) => {
        await database.pool.query(`update background_jobs set status = 'failed' where id = $1`, [ctx.jobId]);
        await ctx.rpc('check_background_jobs').catch(asked.resolve);
        return await never();
      },
      {},
      { rpc: silent, leaseSeconds: 1 },
    );
    expect(outcome).toEqual({ kind: 'lost' });
    expect(await asked.promise).toMatchObject({ name: 'AttemptStopped' });
  });

  it('loses its lease by our own clock while the database is away', async () => {
    const away = (): Promise<never> => Promise.reject(new DatabaseUnreachableError('away'));
    const deaf = { ...queue, heartbeat: away, fail: away, complete: () => away() };
    const { outcome } = await performNew(untilStopped, {}, { queue: deaf, leaseSeconds: 1 });
    expect(outcome).toEqual({ kind: 'lost' });
    // As the sweep would find it after its thirty seconds.
    await database.pool.query(`delete from background_jobs where status = 'processing'`);
  });

  it('hands off at the deadline; without a saved step that is a time-out', async () => {
    const deadline = new Date(Date.now() + 200);
    const { outcome, row } = await performNew(never, {}, { deadline });
    expect(outcome.kind).toBe('hand-off');
    expect(row).toMatchObject({ status: 'queued', retryCount: 1 });
    expect(row?.error).toContain('before a step was saved');
  });

  it('hands off when the host shuts down', async () => {
    const shutdown = new AbortController();
    const run: Run = async (ctx) => {
      await ctx.step('one', () => Promise.resolve(1));
      shutdown.abort();
      ctx.signal.throwIfAborted();
    };
    const { outcome, row } = await performNew(run, {}, { shutdown: shutdown.signal });
    expect(outcome.kind).toBe('hand-off');
    expect(row).toMatchObject({ status: 'queued', retryCount: 0 });
  });
});

describe('writing', () => {
  it('is repeated while the database is away', async () => {
    let failures = 2;
    const flaky: JobQueue = {
      ...queue,
      complete: (results) => {
        if (failures-- > 0) return Promise.reject(new DatabaseUnreachableError('away'));
        return queue.complete(results);
      },
    };
    const { row } = await performNew(() => Promise.resolve('kept'), {}, { queue: flaky });
    expect(row).toMatchObject({ status: 'completed', result: 'kept' });
  });

  /** Refuses the first completions as `code` says. */
  function refusing(code: string, times: number): JobQueue {
    let failures = times;
    return {
      ...queue,
      complete: (results) => {
        if (failures-- > 0) return Promise.reject(new RpcError('complete', { code, message: 'not now' }));
        return queue.complete(results);
      },
    };
  }

  it.each(['HTTP408', 'HTTP429', 'HTTP500'])("is repeated after a gateway's %s", async (code) => {
    const { row } = await performNew(() => Promise.resolve('kept'), {}, { queue: refusing(code, 2) });
    expect(row).toMatchObject({ status: 'completed', result: 'kept' });
  });

  it.each(['42883', '42703', '42P01', '0A000', 'PGRST202'])(
    'is repeated where a migration may have replaced what it needs (%s)',
    async (code) => {
      const { row } = await performNew(() => Promise.resolve('kept'), {}, { queue: refusing(code, 1) });
      expect(row).toMatchObject({ status: 'completed', result: 'kept' });
    },
  );

  it.each([
    ['42501', 1],
    ['HTTP401', 1],
    ['PGRST202', 5],
  ])(
    'spends a retry, not the job, when it is refused for a reason that people mend (%s)',
    async (code, times) => {
      const { row } = await performNew(() => Promise.resolve('lost'), {}, { queue: refusing(code, times) });
      expect(row).toMatchObject({ status: 'queued', retryCount: 1 });
      expect(row?.error).toContain('its result was refused: complete: not now');
    },
  );

  it('fails a job for good that snoozes to a time that Postgres has no name for', async () => {
    const never = new SnoozeError(new Date(8.64e15), 'until the end of time');
    const { outcome, row } = await performNew(() => Promise.reject(never));
    expect(outcome.kind).toBe('failed');
    expect(row).toMatchObject({ status: 'failed' });
    expect(row?.error).toContain('until the end of time');
  });

  it('shows the first progress report at once and then the newest', async () => {
    const { row } = await performNew(async (ctx) => {
      for (let percent = 0; percent <= 50; percent += 1) await ctx.progress(percent, `${percent} \u0000`);
      await vi.waitFor(async () => expect((await queue.get(ctx.jobId))?.progress).toBe(50), 20_000);
    });
    expect(row).toMatchObject({ progress: 50, progressMessage: '50 \ufffd' });
  });
});
