import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from '../../tests/support/database.ts';
import { type HybridEndpoint, startHybridEndpoint } from '../../tests/support/hybrid-endpoint.ts';
import { recordingLogger } from '../../tests/support/recording-logger.ts';
import { DatabaseUnreachableError, type Rpc, type UncheckedRpc } from '../database/rpc.ts';
import { defineJob, type JobDefinition } from '../jobs/define-job.ts';
import { NonRetryableError, SnoozeError } from '../jobs/outcomes.ts';
import { ping } from '../jobs/system/ping.ts';
import { createInngestExecutor, type InngestExecutor } from '../local/inngest-executor.ts';

/** What the test jobs did, by the `label` of their payload. */
const doings = new Map<string, string[]>();
const did = (label: string): string[] => doings.get(label) ?? [];
const labelled = z.object({ label: z.string(), failures: z.number().default(0) });

function note(label: string, doing: string): number {
  const list = doings.get(label) ?? [];
  doings.set(label, [...list, doing]);
  return list.filter((earlier) => earlier === doing).length;
}

const inline = defineJob({
  type: 'test/inline',
  aliases: ['test/inline.old-name'],
  lane: 'inline',
  payload: labelled,
  run: async (ctx) => {
    const { label, failures } = ctx.payload;
    const first = await ctx.step('first', () => Promise.resolve(`first of ${label} ${note(label, 'first')}`));
    const second = await ctx.step('second', () => {
      if (note(label, 'second') < failures) throw new Error(`second of ${label} is not ready`);
      return Promise.resolve('done');
    });
    note(label, 'end');
    return { first, second };
  },
});

/** Ends in the way its payload names. */
const moody = defineJob({
  type: 'test/moody',
  lane: 'inline',
  payload: z.object({
    label: z.string(),
    mood: z.enum(['fatal', 'snooze', 'timeless', 'endless', 'deaf', 'caught', 'flaky', 'parallel']),
  }),
  maxRetries: 2,
  run: async (ctx) => {
    const { label, mood } = ctx.payload;
    const count = note(label, 'run');
    switch (mood) {
      case 'fatal':
        throw new NonRetryableError('the repository is gone');
      case 'snooze':
        return await ctx.step('ask', () => {
          note(label, 'ask');
          throw new SnoozeError(new Date(Date.now() + 3_600_000), 'the rate limit is used up');
        });
      case 'timeless':
        return await ctx.step('ask', () => {
          throw new SnoozeError(new Date(NaN), 'until a time that nobody can read');
        });
      case 'endless':
        return await ctx.step(
          'wait',
          () =>
            new Promise((_, reject) =>
              ctx.signal.addEventListener('abort', () => reject(new Error('aborted'))),
            ),
        );
      case 'deaf':
        return await new Promise(() => {});
      case 'caught':
        return await ctx
          .step('risky', () => Promise.reject(new Error('no luck')))
          .catch((error: Error) => `caught: ${error.message}`);
      case 'flaky':
        if (count < 1) throw new Error('not yet');
        return 'at last';
      case 'parallel':
        return await Promise.all(
          ['a', 'b', 'c'].map((name) => ctx.step(name, () => Promise.resolve(`${name}${note(label, name)}`))),
        );
    }
  },
});

const long = defineJob({
  type: 'test/long',
  aliases: ['test/long.old-name'],
  lane: 'edge',
  payload: z.object({ label: z.string(), repository: z.string() }),
  concurrency: { key: ({ repository }) => repository, limit: 1 },
  priority: 3,
  run: () => Promise.resolve(null),
});

const catalog = [ping, inline, moody, long] as JobDefinition[];

let database: TestDatabase;
let endpoint: HybridEndpoint;
let inngest: InngestExecutor;

beforeAll(async () => {
  database = await createTestDatabase();
  endpoint = await startHybridEndpoint({ rpc: database.rpc, catalog });
  inngest = createInngestExecutor({ url: endpoint.url, backoffMs: () => 0 });
});

afterAll(async () => {
  await endpoint.close();
  await database.close();
});

afterEach(async () => {
  await expectSoundQueue(database.pool);
  endpoint.wakes.length = 0;
});

async function rowsOf(type: string, label: string): Promise<Record<string, unknown>[]> {
  const { rows } = await database.pool.query<Record<string, unknown>>(
    `select * from background_jobs where type = $1 and payload ->> 'label' = $2 order by created_at`,
    [type, label],
  );
  return rows;
}

describe('an inline job', () => {
  it('runs inside the request and leaves a completed row', async () => {
    const [run] = await inngest.send({ name: 'system/ping', data: { label: 'hello' }, id: 'ping-1' });
    expect(run).toMatchObject({
      status: 'completed',
      requests: 1,
      output: { lane: 'inline', status: 'completed', result: { label: 'hello' } },
    });
    const [row] = await rowsOf('system/ping', 'hello');
    expect(row).toMatchObject({
      status: 'completed',
      lane: 'inline',
      result: { label: 'hello' },
      inngest_event_id: 'ping-1',
    });
    expect(row?.['inngest_run_id']).toBe(run?.runId);
    expect(Number(row?.['duration_ms'])).toBeGreaterThanOrEqual(0);
  });

  it('runs each step once, however often Inngest re-enters it', async () => {
    const [run] = await inngest.send({ name: 'test/inline', data: { label: 'steps' } });
    expect(run).toMatchObject({
      status: 'completed',
      output: { result: { first: 'first of steps 0', second: 'done' } },
    });
    expect(run?.requests).toBeGreaterThan(1);
    expect(did('steps')).toEqual(['first', 'second', 'end']);
    expect(await rowsOf('test/inline', 'steps')).toHaveLength(1);
  });

  it('runs steps that were started side by side', async () => {
    const [run] = await inngest.send({ name: 'test/moody', data: { label: 'side', mood: 'parallel' } });
    expect(run).toMatchObject({ status: 'completed', output: { result: ['a0', 'b0', 'c0'] } });
  });

  it('answers to an alias, and its row carries the type', async () => {
    const [run] = await inngest.send({ name: 'test/inline.old-name', data: { label: 'alias' } });
    expect(run).toMatchObject({ status: 'completed' });
    expect(await rowsOf('test/inline', 'alias')).toMatchObject([{ status: 'completed' }]);
  });

  it('runs once and has one row when its event arrives five times at once', async () => {
    const event = { name: 'test/inline', data: { label: 'five' }, id: 'five-1' };
    const runs = (await Promise.all(Array.from({ length: 5 }, () => inngest.send(event)))).flat();
    expect(runs.map((run) => run.status)).toEqual(Array(5).fill('completed'));
    expect(did('five')).toEqual(['first', 'second', 'end']);
    expect(await rowsOf('test/inline', 'five')).toMatchObject([{ status: 'completed' }]);
  });

  it('answers a repeated event with the result of the first', async () => {
    const event = { name: 'system/ping', data: { label: 'again' }, id: 'again-1' };
    await inngest.send(event);
    const [second] = await inngest.send(event);
    expect(second).toMatchObject({
      status: 'completed',
      output: { status: 'completed', result: { label: 'again' } },
    });
    expect(await rowsOf('system/ping', 'again')).toHaveLength(1);
  });
});

describe('an inline job that fails', () => {
  it('is tried again by Inngest, and the row counts the retry', async () => {
    const [run] = await inngest.send({ name: 'test/moody', data: { label: 'flaky', mood: 'flaky' } });
    expect(run).toMatchObject({ status: 'completed', requests: 2, output: { result: 'at last' } });
    const [row] = await rowsOf('test/moody', 'flaky');
    expect(row).toMatchObject({ status: 'completed', retry_count: 1 });
    const { rows } = await database.pool.query(
      'select outcome, error from background_job_attempts where job_id = $1',
      [row?.['id']],
    );
    expect(rows).toMatchObject([{ outcome: 'failed', error: { message: 'not yet' } }]);
  });

  it('runs only the failed step again', async () => {
    const [run] = await inngest.send({ name: 'test/inline', data: { label: 'half', failures: 2 } });
    expect(run).toMatchObject({ status: 'completed' });
    expect(did('half')).toEqual(['first', 'second', 'second', 'second', 'end']);
    expect(await rowsOf('test/inline', 'half')).toMatchObject([{ status: 'completed', retry_count: 2 }]);
  });

  it('may catch what a step threw, as on every other lane', async () => {
    const [run] = await inngest.send({ name: 'test/moody', data: { label: 'caught', mood: 'caught' } });
    expect(run).toMatchObject({ status: 'completed', output: { result: 'caught: no luck' } });
  });

  it('fails like on every other lane when a step snoozes until no time at all', async () => {
    const [run] = await inngest.send({ name: 'test/moody', data: { label: 'timeless', mood: 'timeless' } });
    expect(run).toMatchObject({ status: 'failed', output: { message: 'until a time that nobody can read' } });
    expect(await rowsOf('test/moody', 'timeless')).toMatchObject([
      { status: 'failed', retry_count: 2, error: 'until a time that nobody can read' },
    ]);
  });

  it('ends for good when its retries are spent, in the row and in Inngest', async () => {
    const [run] = await inngest.send({ name: 'test/inline', data: { label: 'never', failures: 99 } });
    expect(run).toMatchObject({
      status: 'failed',
      output: { name: 'NonRetriableError', message: 'second of never is not ready' },
    });
    expect(await rowsOf('test/inline', 'never')).toMatchObject([
      { status: 'failed', retry_count: 3, error: expect.stringContaining('is not ready') as string },
    ]);
  });

  it('is not tried again after a non-retryable error', async () => {
    const [run] = await inngest.send({ name: 'test/moody', data: { label: 'fatal', mood: 'fatal' } });
    expect(run).toMatchObject({ status: 'failed', requests: 1 });
    expect(did('fatal')).toEqual(['run']);
    expect(await rowsOf('test/moody', 'fatal')).toMatchObject([
      {
        status: 'failed',
        retry_count: 0,
        error: expect.stringContaining('the repository is gone') as string,
      },
    ]);
  });

  it('has a row that names the wrong field of a malformed payload', async () => {
    const [run] = await inngest.send({ name: 'test/moody', data: { label: 'malformed', mood: 'sunny' } });
    expect(run).toMatchObject({ status: 'failed', requests: 1 });
    expect(did('malformed')).toEqual([]);
    expect(await rowsOf('test/moody', 'malformed')).toMatchObject([
      { status: 'failed', retry_count: 0, error: expect.stringContaining('payload.mood') as string },
    ]);
  });
});

describe('an inline job that has to wait', () => {
  it('moves to the edge lane when a step snoozes, and spends no retry', async () => {
    const [run] = await inngest.send({ name: 'test/moody', data: { label: 'snooze', mood: 'snooze' } });
    expect(run).toMatchObject({ status: 'completed', output: { lane: 'edge', status: 'queued' } });
    expect(did('snooze').filter((doing) => doing === 'ask')).toHaveLength(1);
    expect(endpoint.wakes).toEqual([]);
    const [row] = await rowsOf('test/moody', 'snooze');
    expect(row).toMatchObject({ status: 'queued', lane: 'edge', retry_count: 0 });
    expect((row?.['run_at'] as Date).getTime()).toBeGreaterThan(Date.now() + 3_000_000);
  });

  it.each(['endless', 'deaf'])(
    'goes on in the edge lane when the inline budget is over (%s)',
    async (mood) => {
      const hasty = await startHybridEndpoint({ rpc: database.rpc, catalog, inlineBudgetSeconds: 1 });
      try {
        const [run] = await createInngestExecutor({ url: hasty.url }).send({
          name: 'test/moody',
          data: { label: mood, mood },
        });
        expect(run).toMatchObject({ status: 'completed', output: { lane: 'edge', status: 'queued' } });
        expect(hasty.wakes.length).toBeGreaterThan(0);
        expect(await rowsOf('test/moody', mood)).toMatchObject([{ status: 'queued', lane: 'edge' }]);
      } finally {
        await hasty.close();
      }
    },
  );
});

describe('a request that Inngest ends at a step', () => {
  it('is no error: the log of a job with steps shows none', async () => {
    const log = recordingLogger();
    const logged = await startHybridEndpoint({ rpc: database.rpc, catalog, log });
    const executor = createInngestExecutor({ url: logged.url, backoffMs: () => 0 });
    await executor.send({ name: 'test/inline', data: { label: 'quiet' } });
    await logged.close();
    expect(await rowsOf('test/inline', 'quiet')).toMatchObject([{ status: 'completed' }]);
    expect(log.records.filter(({ level }) => level === 'error' || level === 'warn')).toEqual([]);
  });

  it('writes nothing afterwards, even when its budget passes before the next request', async () => {
    const hasty = await startHybridEndpoint({ rpc: database.rpc, catalog, inlineBudgetSeconds: 1 });
    try {
      const slowly: typeof fetch = async (...request) => {
        const answer = await fetch(...request);
        if (answer.status === 206) await new Promise((resolve) => setTimeout(resolve, 1_200));
        return answer;
      };
      const executor = createInngestExecutor({ url: hasty.url, fetch: slowly });
      const [run] = await executor.send({ name: 'test/inline', data: { label: 'slow' } });
      expect(run).toMatchObject({ output: { lane: 'inline', status: 'completed' } });
      expect(did('slow')).toEqual(['first', 'second', 'end']);
      expect(await rowsOf('test/inline', 'slow')).toMatchObject([
        { status: 'completed', lane: 'inline', retry_count: 0 },
      ]);
    } finally {
      await hasty.close();
    }
  });
});

describe('a long job', () => {
  it('becomes a row of the edge lane, and process-job is woken', async () => {
    const [run] = await inngest.send({
      name: 'test/long',
      data: { label: 'long', repository: 'a/b' },
      id: 'long-1',
    });
    const [row] = await rowsOf('test/long', 'long');
    expect(run).toMatchObject({
      status: 'completed',
      output: { jobId: row?.['id'], lane: 'edge', status: 'queued' },
    });
    expect(row).toMatchObject({
      status: 'queued',
      lane: 'edge',
      priority: 3,
      concurrency_key: 'a/b',
      concurrency_limit: 1,
      idempotency_key: 'test/long:long-1',
      inngest_event_id: 'long-1',
      inngest_run_id: run?.runId,
    });
    expect(endpoint.wakes).toEqual([{ body: '{}', authorization: 'Bearer sb_secret_test' }]);
  });

  it('has one row when its event arrives five times at once, by its name or its alias', async () => {
    const event = { data: { label: 'many', repository: 'a/b' }, id: 'many-1' };
    const names = ['test/long', 'test/long.old-name', 'test/long', 'test/long.old-name', 'test/long'];
    await Promise.all(names.map((name) => inngest.send({ name, ...event })));
    expect(await rowsOf('test/long', 'many')).toHaveLength(1);
  });

  it('has a row even when its payload is malformed: its run will say why', async () => {
    const [run] = await inngest.send({ name: 'test/long', data: { label: 'odd' } });
    expect(run).toMatchObject({ status: 'completed' });
    expect(await rowsOf('test/long', 'odd')).toMatchObject([{ status: 'queued', concurrency_key: null }]);
  });

  it('refuses a payload over 1 MB at once, without a row', async () => {
    const [run] = await inngest.send({
      name: 'test/long',
      data: { label: 'big', text: 'x'.repeat(1_100_000) },
    });
    expect(run).toMatchObject({ status: 'failed' });
    expect(JSON.stringify(run?.output)).toContain('payload: expected at most 1048576 bytes');
    expect(await rowsOf('test/long', 'big')).toEqual([]);
  });
});

describe('when an operator moves a type to another lane', () => {
  afterEach(async () => {
    await database.pool.query('update job_types set lane_override = null');
  });

  /** The lanes are kept for a while by each endpoint, so a moved type is looked at by a new one. */
  async function sendToNewEndpoint(name: string, data: unknown) {
    const fresh = await startHybridEndpoint({ rpc: database.rpc, catalog });
    try {
      const runs = await createInngestExecutor({ url: fresh.url }).send({ name, data });
      return { run: runs[0], wakes: fresh.wakes.length };
    } finally {
      await fresh.close();
    }
  }

  it('enqueues what was inline', async () => {
    await database.pool.query(`select set_job_lane('test/inline', 'edge')`);
    const { run, wakes } = await sendToNewEndpoint('test/inline', { label: 'moved-out' });
    expect(run?.output).toMatchObject({ lane: 'edge', status: 'queued' });
    expect(wakes).toBe(1);
    expect(did('moved-out')).toEqual([]);
    expect(await rowsOf('test/inline', 'moved-out')).toMatchObject([{ status: 'queued', lane: 'edge' }]);
  });

  it('runs inline what was enqueued', async () => {
    await database.pool.query(`select set_job_lane('test/long', 'inline')`);
    const { run, wakes } = await sendToNewEndpoint('test/long', { label: 'moved-in', repository: 'a/b' });
    expect(run?.output).toMatchObject({ lane: 'inline', status: 'completed' });
    expect(wakes).toBe(0);
  });
});

describe('when the database is away', () => {
  const away: UncheckedRpc = (name) =>
    Promise.reject(new DatabaseUnreachableError(`${name}: the database did not answer`));

  it.each(['system/ping', 'test/long'])(
    'answers %s with an error that Inngest retries, and loses nothing',
    async (name) => {
      let rpc: Rpc = away;
      const flaky = await startHybridEndpoint({ rpc: (...call) => rpc(...call), catalog });
      try {
        const data = { label: 'outage', repository: 'a/b' };
        const retries: string[] = [];
        const executor = createInngestExecutor({
          url: flaky.url,
          backoffMs: () => 0,
          onProgress: ({ kind, detail }) => {
            if (kind !== 'retry') return;
            retries.push(detail);
            rpc = database.rpc;
          },
        });
        const [run] = await executor.send({ name, data });
        expect(retries).toHaveLength(1);
        expect(retries[0]).toContain('the database did not answer');
        expect(run).toMatchObject({ status: 'completed' });
        expect(await rowsOf(name, 'outage')).toHaveLength(1);
      } finally {
        await flaky.close();
      }
    },
  );
});
