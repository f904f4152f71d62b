import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';
import { RpcError } from '../database/rpc.ts';
import { defineJob } from '../jobs/define-job.ts';
import { expectSoundQueue } from '../../tests/support/database.ts';
import { describeDrivers, type OpenDriver } from '../../tests/support/drivers.ts';
import { type ClaimedJob, createJobQueue, type JobQueue, type Lease, type NewJob } from './job-queue.ts';

const leaseOf = (job: ClaimedJob): Lease => ({ jobId: job.id, leaseToken: job.leaseToken });
const error = { name: 'Error', message: 'it broke' };
const unknownLease = { jobId: crypto.randomUUID(), leaseToken: crypto.randomUUID() };

/** A job definition that is never run. */
const typed = (type: string, more: Partial<Parameters<typeof defineJob>[0]>) =>
  defineJob({ type, payload: z.unknown(), run: () => Promise.resolve(null), ...more });

describeDrivers('the job queue', (driver) => {
  let open: OpenDriver;
  let queue: JobQueue;

  beforeAll(async () => {
    open = await driver.open();
    queue = createJobQueue(open.rpc);
  });
  afterAll(async () => await open.close());
  beforeEach(async () => {
    await open.pool.query('delete from background_jobs');
  });
  afterEach(async () => await expectSoundQueue(open.pool));

  async function claimNew(job: Partial<NewJob> = {}): Promise<ClaimedJob> {
    await queue.enqueue([{ type: 'test/job', ...job }]);
    const [claimed] = await queue.claim({ lane: 'edge', worker: 'w', maxJobs: 1, leaseSeconds: 30 });
    if (!claimed) throw new Error('nothing to claim');
    return claimed;
  }

  it('enqueues in input order and knows an idempotency key again', async () => {
    const [a, b, again] = await queue.enqueue([
      { type: 'test/a', idempotencyKey: 'k' },
      { type: 'test/b' },
      { type: 'test/a', idempotencyKey: 'k' },
    ]);
    expect([a?.created, b?.created, again?.created]).toEqual([true, true, false]);
    expect(again?.id).toBe(a?.id);
    expect(await queue.get(b?.id ?? '')).toMatchObject({ type: 'test/b', status: 'queued', lane: 'edge' });
    expect(await queue.enqueue([])).toEqual([]);
  });

  it('enqueues one job by itself as it does among others, and knows its idempotency key again', async () => {
    const job: NewJob = { type: 'test/a', idempotencyKey: 'alone', payload: null, inngestRunId: 'run' };
    const [created] = await queue.enqueue([job]);
    expect(created).toMatchObject({ status: 'queued', created: true });
    expect(await queue.enqueue([job])).toEqual([{ ...created, created: false }]);
    const [claimed] = await queue.claim({ lane: 'edge', worker: 'w', maxJobs: 2, leaseSeconds: 30 });
    expect(claimed).toMatchObject({ id: created?.id, type: 'test/a', payload: null });
  });

  it('refuses an invalid job, naming index and key', async () => {
    const jobs = [{ type: 'test/a' }, { type: 'test/b', priority: 0.5 }];
    await expect(queue.enqueue(jobs)).rejects.toThrow(/jobs\[1\]\.priority/);
    await expect(queue.enqueue(jobs)).rejects.toBeInstanceOf(RpcError);
    const type = ' ';
    await expect(queue.enqueue([{ type }])).rejects.toThrow(/jobs\[0\]\.type/);
    await expect(queue.enqueue([{ type: 'test/a', idempotencyKey: '' }])).rejects.toThrow(/idempotency_key/);
  });

  it('enqueues jobs that come one by one side by side, knows their keys again and refuses one without the others', async () => {
    const keyed = (n: number): NewJob => ({ type: 'test/a', idempotencyKey: `key ${n}`, payload: { n } });
    const jobs = [...Array.from({ length: 20 }, (_, n) => keyed(n % 10)), { type: ' ' }, { type: 'test/b' }];
    const ends = await Promise.allSettled(jobs.map(async (job) => await queue.enqueue([job])));
    const refused = ends.filter((end) => end.status === 'rejected');
    expect(refused.map(({ reason }) => String(reason))).toEqual([expect.stringMatching(/jobs\[0\]\.type/)]);
    const enqueued = ends.filter((end) => end.status === 'fulfilled').flatMap(({ value }) => value);
    expect(enqueued.filter(({ created }) => created)).toHaveLength(11);
    expect(enqueued.slice(10, 20).map(({ id }) => id)).toEqual(enqueued.slice(0, 10).map(({ id }) => id));
    const payloads = await Promise.all(
      enqueued.slice(0, 10).map(async ({ id }) => await queue.claimOne(id, 'w', 30)),
    );
    expect(payloads.map((job) => job?.payload)).toEqual(jobs.slice(0, 10).map(({ payload }) => payload));
  });

  it('begins an inline job once per worker and answers its result later', async () => {
    const job = { type: 'test/inline', idempotencyKey: 'event-1' };
    const begun = await queue.begin(job, 'first', 30);
    expect(begun).toMatchObject({ run: true, status: 'processing', lane: 'inline' });
    expect(await queue.begin(job, 'first', 30)).toEqual(begun);
    expect(await queue.begin(job, 'second', 30)).toMatchObject({
      id: begun.id,
      run: false,
      leaseToken: null,
    });
    const completion = { jobId: begun.id, leaseToken: begun.leaseToken ?? '', result: { ok: 1 } };
    await queue.complete([completion]);
    expect(await queue.begin(job, 'second', 30)).toMatchObject({ status: 'completed', result: { ok: 1 } });
  });

  it('claims with payload, counts and steps, in order of priority', async () => {
    await queue.enqueue([
      { type: 'test/late', payload: { n: 1 } },
      { type: 'test/urgent', payload: { n: 2 }, priority: 5, maxRetries: 7, timeoutSeconds: 9 },
      { type: 'test/elsewhere', lane: 'worker' },
      { type: 'test/future', runAt: new Date(Date.now() + 60_000) },
    ]);
    const claimed = await queue.claim({ lane: 'edge', worker: 'w', maxJobs: 10, leaseSeconds: 30 });
    expect(claimed.map(({ type }) => type)).toEqual(['test/urgent', 'test/late']);
    expect(claimed[0]).toMatchObject({
      payload: { n: 2 },
      retryCount: 0,
      maxRetries: 7,
      timeoutSeconds: 9,
      steps: {},
    });
    expect(await queue.claim({ lane: 'edge', worker: 'w', maxJobs: 10, leaseSeconds: 30 })).toEqual([]);
  });

  it('claims only the wanted types, and the named job whatever its time', async () => {
    const [, future] = await queue.enqueue([
      { type: 'test/a' },
      { type: 'test/b', runAt: new Date(Date.now() + 60_000) },
    ]);
    const request = { lane: 'edge', worker: 'w', maxJobs: 9, leaseSeconds: 30 } as const;
    expect(await queue.claim({ ...request, types: ['test/b'] })).toEqual([]);
    expect(await queue.claimOne(future?.id ?? '', 'w', 30)).toMatchObject({ type: 'test/b' });
    expect(await queue.claimOne(future?.id ?? '', 'w', 30)).toBeNull();
    expect(await queue.claimOne(crypto.randomUUID(), 'w', 30)).toBeNull();
    expect(await queue.claim({ ...request, types: ['test/a'], fitSeconds: 60 })).toHaveLength(1);
  });

  it('tells in a heartbeat who may go on, who is cancelled and who has lost', async () => {
    const kept = await claimNew();
    const cancelled = await claimNew();
    await open.pool.query('select cancel_background_job($1)', [cancelled.id]);
    const states = await queue.heartbeat([leaseOf(kept), leaseOf(cancelled), unknownLease], 30);
    expect(states).toEqual(
      new Map([
        [kept.id, 'continue'],
        [cancelled.id, 'cancel'],
        [unknownLease.jobId, 'lost'],
      ]),
    );
    expect(await queue.fail(leaseOf(cancelled), error, false)).toBe('cancelled');
    expect(await queue.heartbeat([], 30)).toEqual(new Map());
  });

  it.each([[null], ['text'], [0], [false], [[1, 'two', null]], [{ deep: { er: ['✓', '🙂'] } }]])(
    'gives the result %j back as it was',
    async (result) => {
      const job = await claimNew();
      expect(await queue.complete([{ ...leaseOf(job), result }])).toEqual(new Map([[job.id, true]]));
      expect(await queue.get(job.id)).toMatchObject({ status: 'completed', result });
    },
  );

  it('completes together with follow-ups, and without the lease nothing', async () => {
    const job = await claimNew();
    const enqueue = [{ type: 'test/next', payload: { from: job.id } }];
    const stale = await queue.complete([{ ...unknownLease, jobId: job.id, result: 1, enqueue }]);
    expect(stale).toEqual(new Map([[job.id, false]]));
    expect(await queue.complete([{ ...leaseOf(job), result: 1, enqueue }])).toEqual(
      new Map([[job.id, true]]),
    );
    expect(await queue.claim({ lane: 'edge', worker: 'w', maxJobs: 9, leaseSeconds: 30 })).toMatchObject([
      { type: 'test/next', payload: { from: job.id } },
    ]);
  });

  it('retries with backoff or after the given time, and fails for good', async () => {
    const job = await claimNew({ maxRetries: 1 });
    expect(await queue.fail(leaseOf(job), error, true, 300)).toBe('queued');
    const row = await queue.get(job.id);
    expect(row).toMatchObject({ retryCount: 1, error: 'it broke' });
    expect(row?.runAt.getTime()).toBeGreaterThan(Date.now() + 200_000);
    const again = await queue.claimOne(job.id, 'w', 30);
    expect(again).toMatchObject({ retryCount: 1 });
    if (again) expect(await queue.fail(leaseOf(again), error, true)).toBe('failed');
    expect(await queue.fail(leaseOf(job), error, true)).toBeNull();
  });

  it('snoozes without spending a retry', async () => {
    const job = await claimNew();
    const until = new Date(Date.now() + 3_600_000);
    expect(await queue.snooze(leaseOf(job), until, 'rate limit')).toBe('queued');
    expect(await queue.get(job.id)).toMatchObject({ retryCount: 0, runAt: until });
    expect(await queue.snooze(leaseOf(job), until, 'rate limit')).toBeNull();
  });

  it('hands off free after a saved step and hands the step to the next slice', async () => {
    const job = await claimNew();
    expect(await queue.saveStep(leaseOf(job), 'one', { page: 1 })).toBe(true);
    expect(await queue.saveStep(leaseOf(job), 'nothing', null)).toBe(true);
    expect(await queue.saveStep(leaseOf(job), 'word', 'plain text')).toBe(true);
    expect(await queue.handOff(leaseOf(job))).toBe('queued');
    expect(await queue.get(job.id)).toMatchObject({ retryCount: 0 });
    expect(await queue.claimOne(job.id, 'w', 30)).toMatchObject({
      steps: { one: { page: 1 }, nothing: null, word: 'plain text' },
    });
    expect(await queue.saveStep(leaseOf(job), 'two', 2)).toBe(false);
    expect(await queue.handOff(leaseOf(job))).toBeNull();
  });

  it('charges a retry for a hand-off without a saved step', async () => {
    const job = await claimNew();
    expect(await queue.handOff(leaseOf(job))).toBe('queued');
    expect(await queue.get(job.id)).toMatchObject({ retryCount: 1 });
  });

  it('shows progress while the lease holds', async () => {
    const job = await claimNew();
    expect(await queue.reportProgress(leaseOf(job), 40, 'page 2 of 5')).toBe(true);
    expect(await queue.get(job.id)).toMatchObject({ progress: 40, progressMessage: 'page 2 of 5' });
    expect(await queue.reportProgress(leaseOf(job), 50, null)).toBe(true);
    expect(await queue.reportProgress(unknownLease, 50, null)).toBe(false);
  });

  it('knows no job that does not exist, and explains one that does', async () => {
    expect(await queue.get(crypto.randomUUID())).toBeNull();
    const job = await claimNew();
    expect(await queue.explain(job.id)).toContain('w');
  });

  it('rescues an expired lease in a sweep and counts what is claimable', async () => {
    const job = await claimNew();
    await queue.enqueue([{ type: 'test/waiting' }]);
    await open.pool.query(`update background_job_leases set lease_until = now() - interval '1 second'`);
    await open.pool.query(`set session_replication_role = replica; update background_jobs
      set lease_until = now() - interval '1 second' where status = 'processing'; reset session_replication_role`);
    const edge = (await queue.sweep()).find(({ lane }) => lane === 'edge');
    expect(edge).toEqual({ lane: 'edge', claimable: 1, rescued: 1, expired: 0 });
    expect(await queue.get(job.id)).toMatchObject({ status: 'queued', retryCount: 1 });
    expect(await queue.complete([{ ...leaseOf(job), result: 'late' }])).toEqual(new Map([[job.id, false]]));
  });

  it('says once how many isolates to wake, and does not count the one that leaves', async () => {
    await queue.enqueue([{ type: 'test/waiting' }, { type: 'test/waiting' }]);
    await queue.claim({ lane: 'edge', worker: 'leaves', maxJobs: 1, leaseSeconds: 30 });
    expect(await queue.takeWakes()).toBe(0);
    expect(await queue.takeWakes('leaves')).toBe(1);
  });

  it('syncs job types, whose defaults and lanes then count', async () => {
    const definition = defineJob({
      type: 'test/synced',
      payload: z.unknown(),
      timeoutSeconds: 77,
      maxRetries: 5,
      run: () => Promise.resolve(null),
    });
    await queue.syncJobTypes([definition]);
    expect(await queue.laneOverrides()).toEqual(new Map());
    await open.pool.query(`select set_job_lane('test/synced', 'worker')`);
    expect(await queue.laneOverrides()).toEqual(new Map([['test/synced', 'worker']]));
    await queue.enqueue([{ type: 'test/synced' }]);
    const claimed = await queue.claim({ lane: 'worker', worker: 'w', maxJobs: 1, leaseSeconds: 30 });
    expect(claimed).toMatchObject([{ timeoutSeconds: 77, maxRetries: 5 }]);
  });

  it('tells SQL what payloads look like', async () => {
    const counted = typed('test/counted', { payload: z.object({ count: z.int().default(5) }) });
    await queue.syncJobTypes([counted]);
    await queue.syncPayloadSchemas([counted]);
    const text = `select payload_schema from job_types where type = 'test/counted'`;
    expect((await open.pool.query(text)).rows).toMatchObject([
      { payload_schema: { type: 'object', properties: { count: { type: 'integer', default: 5 } } } },
    ]);
  });

  it('lets a job wait for its parents, by id and by position, and shows it their results', async () => {
    const first = await claimNew({ type: 'test/first' });
    const [, child] = await queue.enqueue([
      { type: 'test/second' },
      { type: 'test/child', dependsOn: [first.id, 0] },
    ]);
    const request = { lane: 'edge', worker: 'w', maxJobs: 9, leaseSeconds: 30 } as const;
    const [second, ...others] = await queue.claim(request);
    expect([second?.type, others]).toEqual(['test/second', []]);
    await queue.complete([{ ...leaseOf(first), result: { rows: 1 } }]);
    expect(await queue.claim(request)).toEqual([]);
    expect(await queue.explain(child?.id ?? '')).toBe(
      `waits for job ${second?.id} (test/second, processing)`,
    );
    await queue.complete([{ ...leaseOf(second!), result: null }]);
    expect(await queue.claim(request)).toMatchObject([{ type: 'test/child' }]);
    expect(await queue.parents(child?.id ?? '')).toEqual([
      { id: first.id, type: 'test/first', status: 'completed', result: { rows: 1 }, error: null },
      { id: second?.id, type: 'test/second', status: 'completed', result: null, error: null },
    ]);
    expect(await queue.parents(first.id)).toEqual([]);
  });

  it('ends a job as its policy says when a parent fails', async () => {
    const parent = await claimNew({ type: 'test/parent' });
    const children = await queue.enqueue([
      { type: 'test/default', dependsOn: [parent.id] },
      { type: 'test/fails', dependsOn: [parent.id], onParentFailure: 'fail' },
      { type: 'test/runs', dependsOn: [parent.id], onParentFailure: 'run' },
    ]);
    expect(await queue.fail(leaseOf(parent), error, false)).toBe('failed');
    const rows = await Promise.all(children.map(({ id }) => queue.get(id)));
    expect(rows.map((row) => row?.status)).toEqual(['cancelled', 'failed', 'queued']);
    expect(await queue.parents(children[2]?.id ?? '')).toMatchObject([
      { status: 'failed', result: null, error: 'it broke' },
    ]);
  });

  it('refuses a parent that does not exist, or that comes later', async () => {
    for (const parent of [crypto.randomUUID(), 0])
      await expect(queue.enqueue([{ type: 'test/child', dependsOn: [parent] }])).rejects.toThrow(
        /jobs\[0\]\.depends_on/,
      );
    expect((await open.pool.query('select from background_jobs')).rowCount).toBe(0);
  });

  it('starts no more jobs of a type than its throttle lets', async () => {
    const throttled = typed('test/throttled', { throttle: { limit: 2, periodSeconds: 3600 } });
    await queue.syncJobTypes([throttled]);
    const [, , third] = await queue.enqueue(Array.from({ length: 3 }, () => ({ type: throttled.type })));
    const request = { lane: 'edge', worker: 'w', maxJobs: 9, leaseSeconds: 30 } as const;
    expect(await queue.claim(request)).toHaveLength(2);
    expect(await queue.claim(request)).toEqual([]);
    expect(await queue.claimOne(third?.id ?? '', 'w', 30)).toBeNull();
    expect(await queue.explain(third?.id ?? '')).toContain('throttled: 2 jobs');
  });

  it('starts no job of a type whose quota is exhausted', async () => {
    const metered = typed('test/metered', { quota: ['github:core'] });
    await queue.syncJobTypes([metered]);
    const [job] = await queue.enqueue([{ type: metered.type }]);
    const report = { quota: 'github:core', token: 't1', resets_at: '2099-01-01T00:00:00Z' };
    await open.rpc('report_job_quotas', { reports: [{ ...report, remaining: 0 }] });
    const request = { lane: 'edge', worker: 'w', maxJobs: 9, leaseSeconds: 30 } as const;
    expect(await queue.claim(request)).toEqual([]);
    expect(await queue.claimOne(job?.id ?? '', 'w', 30)).toBeNull();
    await open.pool.query('delete from job_quotas');
    expect(await queue.claim(request)).toMatchObject([{ type: 'test/metered' }]);
  });

  it('calls back only URLs under a registered endpoint', async () => {
    const job = { type: 'test/told', callbackUrl: 'https://hooks.example.com/jobs' };
    await expect(queue.enqueue([job])).rejects.toMatchObject({
      code: 'PT400',
      message: expect.stringContaining('jobs[0].callback_url: expected a URL under a registered') as string,
    });
    await open.rpc('register_callback_endpoint', { url: 'https://hooks.example.com' });
    const told = await claimNew(job);
    await queue.complete([{ ...leaseOf(told), result: 1 }]);
    expect(await queue.claim({ lane: 'edge', worker: 'w', maxJobs: 9, leaseSeconds: 30 })).toMatchObject([
      { type: 'system/callback.deliver', payload: { jobId: told.id } },
    ]);
    await open.pool.query('delete from callback_endpoints');
  });

  it('redrives, discards and prunes by its SQL functions', async () => {
    const [redriven, discarded] = [await claimNew({ type: 'test/a' }), await claimNew({ type: 'test/b' })];
    for (const job of [redriven, discarded]) await queue.fail(leaseOf(job), error, false);
    expect(await open.rpc('redrive_dead_letter_jobs', { type: 'test/a' })).toBe(1);
    expect(await open.rpc('discard_dead_letter_jobs')).toBe(1);
    expect(await queue.get(redriven.id)).toMatchObject({ status: 'queued', retryCount: 0 });
    expect(await queue.get(discarded.id)).toMatchObject({ status: 'cancelled', error: 'it broke' });
    expect(await open.rpc('prune_background_jobs', { older_than: '7 days', max_rows: 10 })).toBe(0);
    await expect(
      open.rpc('prune_background_jobs', { older_than: '1 day', max_rows: 10 }),
    ).rejects.toMatchObject({
      code: 'PT400',
    });
  });
});
