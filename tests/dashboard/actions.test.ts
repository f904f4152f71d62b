import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { operator, useOperatorDesk } from './operator-desk.ts';

const desk = useOperatorDesk();

interface Action {
  id: string;
  actor: string;
  email: string;
  action: string;
  arguments: Record<string, unknown>;
  result: unknown;
}

beforeEach(async () => {
  await desk.sql('delete from background_jobs');
  await desk.sql('delete from job_types; delete from job_schedules; truncate operator_actions');
  await desk.sql(`select sync_job_types('[{"type":"a"},{"type":"b"}]')`);
});

const newestAction = async () => (await desk.ask<Action[]>('operator_audit', { page_size: 1 }))[0];
const statusOf = async (id?: string) =>
  (await desk.sql<{ status: string }>('select status from background_jobs where id = $1', [id]))[0]?.status;

it('an action makes room where others are older than 400 days, a few at a time', async () => {
  await desk.sql(`
    insert into operator_actions (id, at, actor, action, arguments)
    select overlay(gen_random_uuid()::text placing left(job_queue.first_uuid_at(a.at)::text, 14) from 1 for 14)::uuid,
           a.at, 'somebody', 'retry_job', '{}'
    from (select now() - make_interval(days => 383 + 5 * n) as at from generate_series(1, 15) as n) a`);
  const [id] = await desk.enqueue({ type: 'a' });
  const oldestDays = async () =>
    await desk.sql<{ count: number; days: number }>(
      `select count(*)::int as count, max(extract(day from now() - at))::int as days from operator_actions`,
    );
  await desk.ask('operator_cancel_job', { job_id: id });
  // Of the twelve that are too old the ten oldest are gone.
  expect(await oldestDays()).toEqual([{ count: 15 - 10 + 1, days: 408 }]);
  await desk.ask('operator_cancel_job', { job_id: id });
  expect(await oldestDays()).toEqual([{ count: 15 - 12 + 2, days: 398 }]);
});

describe('single jobs', () => {
  it('a failed job is retried, and it is written down who did it', async () => {
    const [id = ''] = await desk.enqueue({ type: 'a' });
    await desk.bury(id);
    expect(await desk.ask('operator_retry_job', { job_id: id })).toBe(true);
    expect(await statusOf(id)).toBe('queued');
    expect(await newestAction()).toMatchObject({
      actor: operator.sub,
      email: operator.email,
      action: 'retry_job',
      arguments: { job_id: id, force: false },
      result: true,
    });
  });

  it('a retry that changes nothing says so, there and in the audit', async () => {
    const [id] = await desk.enqueue({ type: 'a', max_retries: 0 });
    expect(await desk.ask('operator_retry_job', { job_id: id })).toBe(false);
    expect(await newestAction()).toMatchObject({ action: 'retry_job', result: false });
    await desk.bury(id ?? '');
    expect(await desk.ask('operator_retry_job', { job_id: id })).toBe(false);
    expect(await desk.ask('operator_retry_job', { job_id: id, force: true })).toBe(true);
  });

  it('a queued job is cancelled with the reason', async () => {
    const [id] = await desk.enqueue({ type: 'a' });
    expect(await desk.ask('operator_cancel_job', { job_id: id, reason: 'a mistake' })).toBe(true);
    expect(await statusOf(id)).toBe('cancelled');
    expect((await newestAction())?.arguments).toEqual({ job_id: id, reason: 'a mistake' });
    expect(await desk.ask('operator_cancel_job', { job_id: id })).toBe(false);
    expect(await desk.ask('operator_cancel_job', { job_id: randomUUID() })).toBe(false);
  });

  it('a reason that is a novel is refused', async () => {
    const { status, body } = await desk.call('operator_cancel_job', {
      job_id: randomUUID(),
      reason: 'x'.repeat(1001),
    });
    expect(status).toBe(400);
    expect(body).toMatchObject({ message: 'reason: expected at most 1000 characters, got 1001' });
  });
});

describe('the dead letter', () => {
  it('is redriven and discarded by type', async () => {
    const ids = await desk.enqueue({ type: 'a' }, { type: 'a' }, { type: 'b' });
    for (const id of ids) await desk.bury(id);
    expect(await desk.ask('operator_redrive', { type: 'a', max_jobs: 1 })).toBe(1);
    expect(await newestAction()).toMatchObject({
      action: 'redrive',
      arguments: { type: 'a', since: null, max_jobs: 1 },
      result: 1,
    });
    expect(await desk.ask('operator_discard', { type: 'b' })).toBe(1);
    expect(await newestAction()).toMatchObject({ action: 'discard', arguments: { type: 'b' }, result: 1 });
    expect(await Promise.all(ids.map(statusOf))).toEqual(['queued', 'failed', 'cancelled']);
  });

  it('too many at once is refused, and not written down', async () => {
    expect(await desk.call('operator_redrive', { max_jobs: 0 })).toMatchObject({
      status: 400,
      body: { message: 'max_jobs: expected 1 to 100000, got 0' },
    });
    expect(await newestAction()).toBeUndefined();
  });
});

describe('types', () => {
  const typeA = async () => (await desk.ask<{ type: string }[]>('operator_job_types'))[0];

  it('are paused, resumed and moved', async () => {
    await desk.ask('operator_pause_type', { type: 'a' });
    await desk.ask('operator_set_lane', { type: 'a', lane: 'worker' });
    expect(await typeA()).toMatchObject({ paused: true, lane: 'edge', effective_lane: 'worker' });
    await desk.ask('operator_resume_type', { type: 'a' });
    await desk.ask('operator_set_lane', { type: 'a', lane: null });
    expect(await typeA()).toMatchObject({ paused: false, lane_override: null, effective_lane: 'edge' });
    const actions = await desk.ask<Action[]>('operator_audit');
    expect(actions.map((each) => [each.action, each.arguments])).toEqual([
      ['set_lane', { type: 'a', lane: null }],
      ['resume_type', { type: 'a' }],
      ['set_lane', { type: 'a', lane: 'worker' }],
      ['pause_type', { type: 'a' }],
    ]);
  });

  it.each([
    ['operator_pause_type', { type: 'zz' }, 404],
    ['operator_resume_type', { type: 'zz' }, 404],
    ['operator_set_lane', { type: 'zz', lane: 'edge' }, 404],
    ['operator_set_lane', { type: 'a', lane: 'moon' }, 400],
  ])('%s with %o is refused, and not written down', async (name, args, status) => {
    expect((await desk.call(name, args)).status).toBe(status);
    expect(await newestAction()).toBeUndefined();
  });

  it('show the JSON Schema of their payload, once it is known', async () => {
    const schema = { type: 'object', properties: { count: { type: 'integer' } } };
    const schemas = [
      { type: 'a', payload_schema: schema },
      { type: 'gone', payload_schema: schema },
    ];
    await desk.call('sync_payload_schemas', { schemas }, 'service');
    expect(await typeA()).toMatchObject({ payload_schema: schema });
    await desk.sql(`select sync_job_types('[{"type":"a"},{"type":"b"}]')`);
    expect(await typeA()).toMatchObject({ payload_schema: schema });
  });

  it.each([[{}], [[{ type: 'a' }]], [[1]], [[[]]], [[{ type: 1, payload_schema: {} }]]])(
    '%j is no list of schemas',
    async (schemas) => {
      expect(await desk.call('sync_payload_schemas', { schemas }, 'service')).toMatchObject({
        status: 400,
        body: { message: 'schemas: expected an array of {type, payload_schema}' },
      });
    },
  );
});

describe('operator_enqueue', () => {
  it('makes the job, and writes it down without its payload', async () => {
    const job = { type: 'a', payload: { token: 'private' }, priority: 5 };
    const answer = await desk.ask<{ id: string }>('operator_enqueue', { job });
    expect(answer).toMatchObject({ status: 'queued', created: true });
    expect(await statusOf(answer.id)).toBe('queued');
    const action = await newestAction();
    expect(action).toMatchObject({
      action: 'enqueue',
      arguments: { type: 'a', priority: 5 },
      result: answer,
    });
    expect(JSON.stringify(action)).not.toContain('private');
  });

  it.each<[string, unknown, number, RegExp]>([
    ['an unknown type', { type: 'zz' }, 404, /no job type 'zz' is known/],
    ['no type', { payload: {} }, 400, /job\.type: expected a job type/],
    ['no object', [], 400, /job\.type: expected a job type/],
    ['a wrong priority', { type: 'a', priority: 'high' }, 400, /priority: expected a whole number/],
    ['an unknown key', { type: 'a', prority: 1 }, 400, /prority: unknown key/],
    ['too large a payload', { type: 'a', payload: { text: 'x'.repeat(1_100_000) } }, 413, /at most 1 MB/],
  ])('%s is refused', async (_, job, status, message) => {
    const answer = await desk.call<{ message: string }>('operator_enqueue', { job });
    expect(answer.status).toBe(status);
    expect(answer.body.message).toMatch(message);
    expect(await newestAction()).toBeUndefined();
  });
});

describe('schedules', () => {
  it('are made, changed, paused, resumed and removed', async () => {
    const schedule = { name: 'nightly', type: 'a', cron: '0 3 * * *', payload: { full: true } };
    expect(await desk.ask('operator_set_schedule', schedule)).toBe(true);
    expect(await desk.ask('operator_set_schedule', { name: 'nightly', cron: '0 4 * * *' })).toBe(false);
    expect(await desk.ask('operator_pause_schedule', { name: 'nightly' })).toBe(true);
    expect(await desk.ask('operator_schedules')).toMatchObject([
      { name: 'nightly', cron: '0 4 * * *', payload: { full: true }, enabled: false, source: 'operator' },
    ]);
    expect(await desk.ask('operator_resume_schedule', { name: 'nightly' })).toBe(true);
    expect(await desk.ask('operator_remove_schedule', { name: 'nightly' })).toBe(true);
    expect(await desk.ask('operator_remove_schedule', { name: 'nightly' })).toBe(false);
    const actions = await desk.ask<Action[]>('operator_audit');
    expect(actions.map(({ action, result }) => [action, result])).toEqual([
      ['remove_schedule', false],
      ['remove_schedule', true],
      ['resume_schedule', true],
      ['pause_schedule', true],
      ['set_schedule', false],
      ['set_schedule', true],
    ]);
  });

  it('what cannot be one is refused by its field, and not written down', async () => {
    const answer = await desk.call('operator_set_schedule', { name: 'x', type: 'a', cron: 'daily' });
    expect(answer).toMatchObject({
      status: 400,
      body: { message: expect.stringMatching(/^cron: /) as string },
    });
    expect(await newestAction()).toBeUndefined();
  });
});

describe('the audit', () => {
  it('pages without gaps or repeats while actions come in', async () => {
    for (let n = 0; n < 7; n++) await desk.ask('operator_cancel_job', { job_id: randomUUID() });
    const seen: string[] = [];
    let before: string | null = null;
    for (;;) {
      const page: Action[] = await desk.ask('operator_audit', { page_size: 3, before });
      seen.push(...page.map(({ id }) => id));
      if (page.length < 3) break;
      before = page.at(-1)?.id ?? null;
      await desk.ask('operator_cancel_job', { job_id: randomUUID() });
    }
    expect(seen).toHaveLength(7);
    expect(new Set(seen).size).toBe(7);
  });

  it.each([0, 501, null])('a page of %s is refused', async (page_size) => {
    expect(await desk.call('operator_audit', { page_size })).toMatchObject({
      status: 400,
      body: { message: expect.stringMatching(/^page_size: expected 1 to 500/) as string },
    });
  });
});

describe('quotas', () => {
  it('show what is left, whether they are exhausted, and what waits for them', async () => {
    await desk.sql(`select sync_job_types('[{"type":"a","quotas":["github:core"]},{"type":"b"}]')`);
    await desk.enqueue({ type: 'a' }, { type: 'a' }, { type: 'b' });
    const resets_at = new Date(Date.now() + 3_600_000).toISOString();
    const report = { allowance: 5000, resets_at };
    const reports = [
      { ...report, quota: 'github:core', token: 'f00', remaining: 0 },
      { ...report, quota: 'github:graphql', token: 'f00', remaining: 4321 },
    ];
    await desk.sql('select report_job_quotas($1)', [JSON.stringify(reports)]);
    expect(await desk.ask('operator_quotas')).toMatchObject([
      { quota: 'github:core', token: 'f00', allowance: 5000, remaining: 0, exhausted: true, waiting: 2 },
      { quota: 'github:graphql', remaining: 4321, exhausted: false, waiting: 0 },
    ]);
    await desk.sql('delete from job_quotas');
  });
});
