import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { operator, useOperatorDesk, type Caller } from './operator-desk.ts';

const desk = useOperatorDesk();

/** Every function of the dashboard, with arguments that it would take from an operator. */
const calls: Record<string, object> = {
  operator_overview: {},
  operator_throughput: { minutes: 60 },
  operator_jobs: {},
  operator_job: { job_id: randomUUID() },
  operator_schedules: {},
  operator_quotas: {},
  operator_job_types: {},
  operator_audit: {},
  operator_retry_job: { job_id: randomUUID() },
  operator_cancel_job: { job_id: randomUUID() },
  operator_redrive: {},
  operator_discard: {},
  operator_pause_type: { type: 'a' },
  operator_resume_type: { type: 'a' },
  operator_set_lane: { type: 'a', lane: 'worker' },
  operator_enqueue: { job: { type: 'a' } },
  operator_set_schedule: { name: 'nightly', type: 'a', cron: '0 3 * * *' },
  operator_pause_schedule: { name: 'nightly' },
  operator_resume_schedule: { name: 'nightly' },
  operator_remove_schedule: { name: 'nightly' },
};

/** What an operator's calls, in this order, leave behind. */
const traces = () =>
  desk.sql(`select (select count(*)::int from operator_actions) as actions,
                   (select count(*)::int from background_jobs) as jobs,
                   (select count(*)::int from job_schedules) as schedules,
                   (select count(*)::int from job_types where paused or lane_override is not null) as changed_types`);

beforeAll(async () => {
  await desk.sql(`select sync_job_types('[{"type":"a"}]')`);
});

it('these are all the functions of the dashboard', async () => {
  const text = `select proname as name from pg_proc where pronamespace = 'public'::regnamespace and proname ~ '^operator_'`;
  const names = (await desk.sql<{ name: string }>(text)).map(({ name }) => name);
  expect(names.sort()).toEqual(Object.keys(calls).sort());
});

const user = { ...operator, app_metadata: {} };
const strangers: [string, Caller, number, string][] = [
  ['nobody', 'nobody', 401, '42501'],
  ['the service key', 'service', 403, '42501'],
  ['a user', user, 403, 'PT403'],
  ['a user with another role', { ...user, app_metadata: { role: 'viewer' } }, 403, 'PT403'],
  ['a user with several roles', { ...user, app_metadata: { role: ['job_operator'] } }, 403, 'PT403'],
  [
    'a user who calls himself an operator',
    { ...user, user_metadata: { role: 'job_operator' } },
    403,
    'PT403',
  ],
  ['a token without metadata', { role: 'authenticated' }, 403, 'PT403'],
];

describe.each(strangers)('%s', (_, caller, status, code) => {
  it('is refused by every function, and leaves no trace', async () => {
    for (const [name, args] of Object.entries(calls))
      expect(await desk.call(name, args, caller), name).toMatchObject({ status, body: { code } });
    expect(await traces()).toEqual([{ actions: 0, jobs: 0, schedules: 0, changed_types: 0 }]);
  });
});

it('a refusal names the user, what is missing, and who can help', async () => {
  const { body } = await desk.call('operator_overview', {}, user);
  expect(body).toMatchObject({
    message:
      'operator@example.com may not operate jobs: the access token lacks app_metadata.role "job_operator"',
    hint: expect.stringContaining('An administrator sets') as string,
  });
});

it('an operator may call every function; only actions are noted', async () => {
  for (const [name, args] of Object.entries(calls))
    expect((await desk.call(name, args)).status, name).toBeLessThan(300);
  expect(await traces()).toEqual([{ actions: 12, jobs: 1, schedules: 0, changed_types: 1 }]);
});

it('operators read and write no table, and nobody but them reads what they did', async () => {
  const open = await desk.sql(
    `select r.name from unnest(array['anon', 'authenticated', 'service_role']) as r(name)
     where has_table_privilege(r.name, 'operator_actions', 'insert,update,delete,truncate')
        or (r.name <> 'service_role' and has_any_column_privilege(r.name, 'operator_actions', 'select'))`,
  );
  expect(open).toEqual([]);
});
