import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from '../../../tests/support/database.ts';
import { type JobsCommandOptions, runJobs } from '../../../tests/support/jobs-command.ts';
import { createJobQueue, type JobQueue, type NewJob } from '../../queue/job-queue.ts';
import { catalog } from '../../jobs/catalog.ts';
import { HelpRequest, UsageError } from '../command/command-line.ts';

let database: TestDatabase;
let queue: JobQueue;

beforeAll(async () => {
  database = await createTestDatabase();
  queue = createJobQueue(database.rpc);
  await queue.syncJobTypes(catalog);
});
afterAll(async () => await database.close());
afterEach(async () => {
  await expectSoundQueue(database.pool);
  await database.pool.query('delete from background_jobs');
  await database.pool.query('update job_types set paused = false, lane_override = null');
});

const unknownId = '01940000-0000-7000-8000-000000000000';

async function run(args: string[], options: JobsCommandOptions = {}) {
  return await runJobs(args, { ...options, env: { DATABASE_URL: database.url, ...options.env } });
}

async function asJson<Result>(...args: string[]): Promise<Result> {
  return JSON.parse((await run([...args, '--json'])).output) as Result;
}

async function enqueued(job: Partial<NewJob> = {}): Promise<string> {
  const [row] = await queue.enqueue([{ type: 'system/ping', lane: 'edge', ...job }]);
  if (!row) throw new Error('expected a row');
  return row.id;
}

async function failedJob(job: Partial<NewJob> = {}): Promise<string> {
  const id = await enqueued({ maxRetries: 0, ...job });
  const claimed = await queue.claimOne(id, 'test', 60);
  const lease = { jobId: id, leaseToken: claimed?.leaseToken ?? '' };
  await queue.fail(lease, { name: 'Error', message: 'GitHub answered 502' }, true);
  return id;
}

const statusOf = async (id: string) => (await queue.get(id))?.status;

describe('enqueue', () => {
  it('wakes nobody for a job of a worker', async () => {
    const asked = vi.fn<typeof fetch>();
    const env = { SUPABASE_URL: 'http://127.0.0.1:9', SUPABASE_SECRET_KEY: 'sb_secret_for_tests' };
    const args = ['enqueue', 'system/ping', '--lane', 'worker'];
    const { output } = await run(args, { env, fetch: asked });
    expect(output).toMatch(/is queued\. A worker takes it: npm run worker\.$/);
    expect(asked).not.toHaveBeenCalled();
  });

  it('puts a job into the queue, on the lane of its flags', async () => {
    const args = [
      'system/ping',
      '{"hello":"world"}',
      '--lane',
      'worker',
      '--priority',
      '5',
      '--max-retries',
      '1',
    ];
    const job = await asJson<{ id: string }>('enqueue', ...args);
    expect(job).toMatchObject({ type: 'system/ping', status: 'queued', created: true });
    const { rows } = await database.pool.query('select * from background_jobs where id = $1', [job.id]);
    expect(rows).toMatchObject([
      { type: 'system/ping', payload: { hello: 'world' }, lane: 'worker', priority: 5, max_retries: 1 },
    ]);
  });

  it('takes an alias, and gives the job the concurrency key of its definition', async () => {
    const payload = '{"repository":"octo-org/hello-hybrid"}';
    await run(['enqueue', 'capture/repository.sync-graphql', payload, '--run-at', '2h']);
    const { rows } = await database.pool.query(
      `select type, concurrency_key is not null as keyed, run_at > now() + interval '119 minutes' as later from background_jobs`,
    );
    expect(rows).toEqual([{ type: 'capture/repository.sync.graphql', keyed: true, later: true }]);
  });

  it('says that a key is known, and makes no second job', async () => {
    const { id } = await asJson<{ id: string }>('enqueue', 'system/ping', '--key', 'once');
    const { output } = await run(['enqueue', 'system/ping', '--key', 'once']);
    expect(output).toBe(`Job ${id} of type system/ping has this key already; it is queued.`);
  });

  it('waits for the end, and fails when the job fails', async () => {
    const first = await enqueued();
    const waiting = run(['enqueue', 'system/ping', '--after', first, '--wait', '--json']);
    await database.pool.query(
      `update background_jobs set status = 'failed', failed_at = now() where id = $1`,
      [first],
    );
    await database.pool.query('select sweep_background_jobs()');
    const { code, output } = await waiting;
    expect(code).toBe(1);
    expect(JSON.parse(output)).toMatchObject({ type: 'system/ping', status: 'cancelled' });
  });

  it.each([
    [['enqueue'], 'Expected a type and its payload'],
    [['enqueue', 'system/pong'], 'type: unknown job type system/pong, expected one of'],
    [['enqueue', 'system/ping', '{hello}'], 'payload: expected JSON, got {hello}'],
    [['enqueue', 'system/ping', '[1]'], 'payload: expected a JSON object'],
    [['enqueue', 'capture/repository.sync', '{"repository":7}'], 'payload.repository: expected'],
    [['enqueue', 'system/ping', '--lane', 'inline'], '--lane: expected edge or worker, got "inline"'],
    [
      ['enqueue', 'system/ping', '--run-at', 'noon'],
      '--run-at: expected a time like 2026-11-22T08:00Z, or 30m',
    ],
    [
      ['enqueue', 'system/ping', '--priority', 'high'],
      '--priority: expected a whole number from -10000 to 10000',
    ],
    [['enqueue', 'system/ping', '--after', '7'], 'job id: expected a uuid, got "7"'],
    [
      ['list', '--status', 'done'],
      '--status: expected queued, processing, completed, failed or cancelled, got "done"',
    ],
    [['list', '--limit', '0'], '--limit: expected a whole number from 1 to 1000, got "0"'],
    [['list', '--since', 'yesterday'], '--since: expected a time'],
    [['list', 'all'], 'Expected no arguments, got 1'],
    [['show', 'seven'], 'job id: expected a uuid, got "seven"'],
    [['show'], 'Expected the id of one job'],
    [['retry'], 'Expected the id of a job, got nothing'],
    [['redrive', '--max', '0'], '--max: expected a whole number from 1 to 100000, got "0"'],
    [['pause'], 'Expected the type of the jobs'],
    [['lane', 'system/ping', 'moon'], 'lane: expected inline, edge, worker or default, got "moon"'],
    [['doctor', '--endpoint', 'example.com'], '--endpoint: expected an http(s) URL, got "example.com"'],
    [['completion', 'tcsh'], 'shell: expected bash, zsh or fish, got "tcsh"'],
    [['new', 'Stars'], 'type: expected lower-case words like metrics/stars.count'],
    [['new', 'system/ping'], 'type: system/ping is in the catalog already'],
    [['stats', '--loud'], "Unknown option '--loud'"],
  ])('%j is a wrong use that names what was expected', async (args, message) => {
    const refusal = run(args);
    await expect(refusal).rejects.toThrow(message);
    await expect(refusal).rejects.toBeInstanceOf(UsageError);
  });
});

describe('list', () => {
  it('shows jobs newest first, and finds them by what is asked', async () => {
    const failed = await failedJob({ payload: { repository: 'octo-org/hello' } });
    const queued = await enqueued({ lane: 'worker', type: 'capture/repository.sync' });
    const ids = async (...args: string[]) =>
      (await asJson<{ id: string }[]>('list', ...args)).map(({ id }) => id);
    expect(await ids()).toEqual([queued, failed]);
    expect(await ids('--status', 'failed')).toEqual([failed]);
    expect(await ids('--status', 'queued')).toEqual([queued]);
    expect(await ids('--status', 'processing')).toEqual([]);
    expect(await ids('--type', 'capture/repository.sync')).toEqual([queued]);
    expect(await ids('--lane', 'worker')).toEqual([queued]);
    expect(await ids('--repository', 'Octo-Org/hello')).toEqual([failed]);
    expect(await ids('--text', 'answered 502')).toEqual([failed]);
    expect(await ids('--text', queued)).toEqual([queued]);
    expect(await ids('--since', '1h')).toEqual([queued, failed]);
    expect(await ids('--since', '2099-01-01')).toEqual([]);
  });

  it('goes on behind the last one of a page', async () => {
    const first = await enqueued();
    const second = await enqueued();
    const { output } = await run(['list', '--limit', '1']);
    expect(output).toContain(second);
    expect(output).toContain(`Older ones: the same with --before ${second}`);
    expect((await run(['list', '--limit', '1', '--before', second])).output).toContain(first);
    expect((await run(['list', '--before', first])).output).toBe('There are no such jobs.');
  });
});

describe('show and explain', () => {
  it('tell everything about a job', async () => {
    const parent = await enqueued();
    const id = await failedJob({ payload: { hello: 'world' } });
    const child = await enqueued({ dependsOn: [parent] });
    const { output } = await run(['show', id]);
    for (const text of [
      'GitHub answered 502',
      '{"hello":"world"}',
      'dead because its 0 retries are spent',
      '0 of 0',
    ])
      expect(output).toContain(text);
    expect(await asJson('show', id)).toMatchObject({
      id,
      status: 'failed',
      attempts: [{ number: 1, outcome: 'failed', error: { message: 'GitHub answered 502' } }],
    });
    expect(await asJson('show', child)).toMatchObject({ before: [{ id: parent, status: 'queued' }] });
    expect((await run(['show', parent])).output).toMatch(new RegExp(`is awaited by . ${child}`));
    expect((await run(['explain', child])).output).toContain(parent);
  });

  it.each(['show', 'explain'])('%s says that there is no such job', async (command) => {
    await expect(run([command, unknownId])).rejects.toThrow(`There is no job ${unknownId}`);
  });
});

describe('retry, cancel and redrive', () => {
  it('retry queues a failed job again, with force where its retries are spent', async () => {
    const id = await failedJob();
    const refused = await run(['retry', id]);
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.output).toContain('its retries are spent; --force runs it once more');
    expect(await run(['retry', id, '--force'])).toEqual({ code: 0, output: `Job ${id} is queued again.` });
    expect(await statusOf(id)).toBe('queued');
    const again = await run(['retry', id, unknownId, '--json']);
    expect(again.code).toBe(1);
    expect(JSON.parse(again.output)).toMatchObject([
      { id, done: false, reason: expect.stringContaining('it has not failed') as string },
      { id: unknownId, done: false, reason: 'there is no such job' },
    ]);
  });

  it('cancel ends a queued job, and says of an ended one that it has ended', async () => {
    const id = await enqueued();
    expect((await run(['cancel', id, '--reason', 'wrong repository'])).code).toBe(0);
    expect(await statusOf(id)).toBe('cancelled');
    const again = await run(['cancel', id]);
    expect(again.code).toBe(1);
    expect(again.output).toContain('it has ended: cancelled: wrong repository');
  });

  it('redrive queues failed jobs of a type again', async () => {
    const ids = [await failedJob(), await failedJob()];
    expect((await run(['redrive', '--type', 'capture/repository.sync'])).output).toContain(
      'There are no failed jobs of type',
    );
    expect((await run(['redrive', '--since', '1h', '--max', '1'])).output).toContain('There may be more');
    expect(await asJson('redrive')).toEqual({ redriven: 1 });
    expect(await Promise.all(ids.map(statusOf))).toEqual(['queued', 'queued']);
  });
});

describe('pause, resume and lane', () => {
  it('stop a type and let it go on', async () => {
    const id = await enqueued();
    expect((await run(['pause', 'system/ping'])).output).toBe('Jobs of type system/ping are paused.');
    expect((await run(['explain', id])).output).toContain('paused');
    expect(await asJson('resume', 'system/ping')).toEqual({ type: 'system/ping', paused: false });
    expect((await run(['explain', id])).output).not.toContain('paused');
  });

  it('sets a lane, and goes back to that of the definition', async () => {
    const type = 'capture/repository.sync';
    expect((await run(['lane', type, 'worker'])).output).toMatch(/worker +│ operator or measurement/);
    expect(await asJson('lane', type)).toMatchObject([{ type, lane: 'edge', lane_override: 'worker' }]);
    expect(await asJson('lane', 'capture/repository.sync', 'default')).toMatchObject([
      { lane_override: null },
    ]);
    expect((await asJson<unknown[]>('lane')).length).toBe(catalog.length);
  });

  it.each([['pause'], ['resume'], ['lane']])('%s says that a type is unknown', async (command) => {
    await expect(run([command, 'system/pong'])).rejects.toThrow('system/pong');
  });
});

it('stats shows totals, types and what waits', async () => {
  // What ended counts, even when its row has been deleted: as those of the tests before this one were.
  type Types = { types: { failed: number }[] };
  const before = (await asJson<Types>('stats', '--type', 'system/ping')).types[0]?.failed ?? 0;
  await failedJob();
  await enqueued();
  const { output } = await run(['stats']);
  for (const text of ['Total jobs (24 h)', 'system/ping', ' %', 'oldest due']) expect(output).toContain(text);
  expect(await asJson('stats', '--type', 'system/ping')).toMatchObject({
    summary: [],
    types: [{ type: 'system/ping', queued: 1, failed: before + 1 }],
    waiting: [{ lane: 'edge', type: 'system/ping', queued: 1, due: 1 }],
  });
});

describe('tail', () => {
  it('tells what happens from now on, a line for each change', async () => {
    await enqueued();
    const stop = new AbortController();
    const seen: string[] = [];
    const tailing = run(['tail'], { stop: stop.signal, onPrint: (line) => seen.push(line) });
    await vi.waitUntil(() => seen.includes('Following the queue. Ctrl-C stops.'));
    const id = await failedJob();
    await vi.waitUntil(() => seen.some((line) => line.includes('failed')), { timeout: 60_000 });
    stop.abort();
    expect((await tailing).code).toBe(0);
    expect(seen.filter((line) => !line.includes(id))).toHaveLength(1);
    expect(seen.at(-1)).toMatch(/^[\d-]+ [\d:]+ {2}failed .* system\/ping {2}in .* {2}GitHub answered 502$/);
  });

  it('writes a JSON document per line for programs', async () => {
    const stop = new AbortController();
    const seen: unknown[] = [];
    const tailing = run(['tail', '--json'], {
      stop: stop.signal,
      onPrint: (line) => seen.push(JSON.parse(line)),
    });
    // What was there before its first look is no news.
    const makeOne = async (): Promise<boolean> => (await enqueued()) !== '' && seen.length > 0;
    await vi.waitUntil(makeOne, { timeout: 60_000, interval: 100 });
    stop.abort();
    await tailing;
    expect(seen[0]).toMatchObject({ type: 'system/ping', status: 'queued', lane: 'edge', error: null });
  });
});

const everyCommand = [
  ...[
    'send',
    'enqueue',
    'list',
    'show',
    'explain',
    'retry',
    'cancel',
    'redrive',
    'pause',
    'resume',
    'lane',
    'schedule',
  ],
  ...['stats', 'tail', 'doctor', 'new', 'completion'],
];

it.each(everyCommand)('%s --help shows an example', async (command) => {
  const help = await run([command, '--help']).catch((error: unknown) => error);
  expect(help).toBeInstanceOf(HelpRequest);
  expect((help as HelpRequest).message).toMatch(/^ {2}(npm run (jobs|send) --|hybrid-jobs) /m);
});

it('--help names every command and the exit codes', async () => {
  const help = await run(['--help']).catch((error: unknown) => error);
  for (const command of everyCommand)
    expect((help as Error).message).toMatch(new RegExp(`^ {2}${command} +\\w`, 'm'));
  expect((help as Error).message).toContain('Exit codes: 0 done, 1 failed or not found, 2 wrong use');
});
