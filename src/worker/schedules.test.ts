import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import pg from 'pg';
import { z } from 'zod';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from '../../tests/support/database.ts';
import { recordingLogger } from '../../tests/support/recording-logger.ts';
import { workerJob } from '../../tests/support/worker.ts';
import { createPgRpc } from '../database/pg-rpc.ts';
import { DatabaseUnreachableError } from '../database/rpc.ts';
import { defineJob, type JobDefinition } from '../jobs/define-job.ts';
import { createJobQueue } from '../queue/job-queue.ts';
import { toNewJob } from '../router/event.ts';
import { evaluateSchedules, type ScheduleOptions, syncSchedules } from './schedules.ts';

let database: TestDatabase;
const log = recordingLogger();

beforeAll(async () => (database = await createTestDatabase()));
afterAll(async () => await database.close());
afterEach(async () => {
  log.records.length = 0;
  await expectSoundQueue(database.pool);
  await database.pool.query('delete from job_schedules; delete from background_jobs; delete from job_types');
});

const hourly = defineJob({
  type: 'test/hourly',
  payload: z.strictObject({}),
  cron: ['0 * * * *', '30 * * * *'],
  run: () => Promise.resolve(null),
}) as JobDefinition;
const keyed = defineJob({
  type: 'test/keyed',
  payload: z.strictObject({ repository: z.string() }),
  concurrency: { key: ({ repository }) => `keyed:${repository}`, limit: 2 },
  run: () => Promise.resolve(null),
}) as JobDefinition;
const plain = workerJob('test/plain', z.unknown(), () => Promise.resolve(null));

const options = (more: Partial<ScheduleOptions> = {}): ScheduleOptions => ({
  rpc: database.rpc,
  catalog: [hourly, keyed, plain],
  withDefinitions: true,
  log,
  ...more,
});

async function rows(sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  return (await database.pool.query<Record<string, unknown>>(sql, values)).rows;
}

/** An operator's schedule that was last looked at some time ago. */
async function schedule(columns: Record<string, unknown>, ago = '1 minute'): Promise<void> {
  const row = { name: 'nightly', type: 'test/plain', cron: '* * * * *', ...columns };
  const names = Object.keys(row);
  await rows(
    `insert into job_schedules (${names.join(', ')}, evaluated_until)
     values (${names.map((_, n) => `$${n + 1}`).join(', ')}, now() - interval '${ago}')`,
    Object.values(row),
  );
}

const jobs = async () =>
  await rows('select type, idempotency_key as key, payload, lane from background_jobs order by key');
const keysOf = async () => (await jobs()).map(({ key }) => key);

describe('the schedules of the definitions', () => {
  it('are mirrored, one for each cron time', async () => {
    await syncSchedules(options());
    await syncSchedules(options());
    expect(
      await rows('select name, type, cron, timezone, source, enabled from job_schedules order by name'),
    ).toEqual([
      {
        name: 'test/hourly 0 * * * *',
        type: 'test/hourly',
        cron: '0 * * * *',
        timezone: 'UTC',
        source: 'definition',
        enabled: true,
      },
      {
        name: 'test/hourly 30 * * * *',
        type: 'test/hourly',
        cron: '30 * * * *',
        timezone: 'UTC',
        source: 'definition',
        enabled: true,
      },
    ]);
  });

  it('go with their definition, unless an operator switched them off, which holds when it comes back', async () => {
    await syncSchedules(options());
    await rows(`update job_schedules set enabled = false, catch_up = 'all' where cron = '0 * * * *'`);
    await schedule({});
    await syncSchedules(options({ catalog: [] }));
    expect(await rows('select name from job_schedules order by name')).toEqual([
      { name: 'nightly' },
      { name: 'test/hourly 0 * * * *' },
    ]);
    await syncSchedules(options());
    expect(
      await rows(`select enabled, catch_up from job_schedules where source = 'definition' order by name`),
    ).toEqual([
      { enabled: false, catch_up: 'all' },
      { enabled: true, catch_up: 'last' },
    ]);
  });

  it('come back to their cron time when somebody edits them', async () => {
    await syncSchedules(options());
    await rows(
      `update job_schedules set cron = '5 5 5 5 5', timezone = 'Asia/Tokyo', payload = '{"a": 1}' where cron = '0 * * * *'`,
    );
    await syncSchedules(options());
    expect(
      await rows('select cron, timezone, payload from job_schedules where name like $1', ['%hourly 0 %']),
    ).toEqual([{ cron: '0 * * * *', timezone: 'UTC', payload: {} }]);
  });

  it('are left alone where Inngest is the scheduler', async () => {
    await syncSchedules(options({ withDefinitions: false }));
    expect(await rows('select name from job_schedules')).toEqual([]);
    await syncSchedules(options());
    await rows(`update job_schedules set evaluated_until = now() - interval '2 hours'`);
    expect(await evaluateSchedules(options({ withDefinitions: false }))).toBe(0);
    expect(await evaluateSchedules(options())).toBe(2);
  });

  it('make the row that a tick of Inngest would make, so that two schedulers make one', async () => {
    await createJobQueue(database.rpc).syncJobTypes([hourly]);
    await syncSchedules(options());
    await rows(`update job_schedules set evaluated_until = now() - interval '2 hours'`);
    await evaluateSchedules(options());
    const made = await jobs();
    expect(made).toHaveLength(2);
    for (const { key } of made) {
      const ts = Date.parse(String(key).replace('test/hourly@', ''));
      const tick = await toNewJob(
        { name: 'inngest/scheduled.timer', ts, data: { cron: 'any' } },
        hourly,
        'edge',
      );
      expect(await createJobQueue(database.rpc).enqueue([tick])).toMatchObject([{ created: false }]);
      expect(made).toContainEqual({
        type: tick.type,
        key: tick.idempotencyKey,
        payload: tick.payload,
        lane: tick.lane,
      });
    }
  });
});

describe('an operator’s schedule', () => {
  it('makes a job of its type with its payload, once for each tick', async () => {
    await createJobQueue(database.rpc).syncJobTypes([plain]);
    await schedule({ payload: { n: 1 } });
    const made = await evaluateSchedules(options({ withDefinitions: false }));
    expect(made).toBeGreaterThan(0);
    expect((await jobs())[0]).toEqual({
      type: 'test/plain',
      key: expect.stringMatching(/^schedule:nightly@\d{4}-\d\d-\d\dT\d\d:\d\dZ$/) as unknown,
      payload: { n: 1 },
      lane: 'worker',
    });
    const again = await evaluateSchedules(options());
    // A minute may have begun meanwhile.
    expect(await keysOf()).toHaveLength(made + again);
    expect(again).toBeLessThanOrEqual(1);
  });

  it('holds the limit of its type’s concurrency key', async () => {
    await schedule({ type: 'test/keyed', payload: { repository: 'a' } });
    await evaluateSchedules(options());
    expect((await rows('select concurrency_key, concurrency_limit from background_jobs'))[0]).toEqual({
      concurrency_key: 'keyed:a',
      concurrency_limit: 2,
    });
  });

  it('of an alias starts the canonical type, under the same key as before', async () => {
    const renamed = { ...plain, aliases: ['test/old name'] };
    await schedule({ type: 'test/old name' });
    expect(await evaluateSchedules(options({ catalog: [renamed] }))).toBeGreaterThan(0);
    expect((await jobs())[0]).toMatchObject({
      type: 'test/plain',
      key: expect.stringMatching(/^schedule:nightly@/) as unknown,
    });
  });

  it.each([
    ['none', 0],
    ['last', 1],
    ['all', 5],
  ])('catches up %s', async (catchUp, expected) => {
    // Half an hour away from now, so that no tick is on time.
    const minute = (new Date().getUTCMinutes() + 30) % 60;
    await schedule({ cron: `${minute} * * * *`, catch_up: catchUp }, '5 hours');
    expect(await evaluateSchedules(options())).toBe(expected);
    expect(await evaluateSchedules(options())).toBe(0);
  });

  it('that catches up everything stops at a hundred, and says so', async () => {
    await schedule({ catch_up: 'all' }, '2 days');
    expect(await evaluateSchedules(options())).toBe(100);
    expect(log.records).toContainEqual({
      level: 'warn',
      fields: { schedule: 'nightly', mostTicks: 100 },
      message: 'more ticks were missed than are made up for',
    });
  });

  it('is silent while it is switched off, and missed nothing when it is switched on', async () => {
    const minute = (new Date().getUTCMinutes() + 30) % 60;
    await schedule({ cron: `${minute} * * * *`, enabled: false, catch_up: 'all' }, '5 hours');
    expect(await evaluateSchedules(options())).toBe(0);
    await rows('update job_schedules set enabled = true');
    expect(await evaluateSchedules(options())).toBe(0);
  });

  it('missed nothing when its time is changed', async () => {
    await schedule({ cron: '0 0 1 1 *', catch_up: 'all' }, '5 hours');
    const minute = (new Date().getUTCMinutes() + 30) % 60;
    await rows('update job_schedules set cron = $1', [`${minute} * * * *`]);
    expect(await evaluateSchedules(options())).toBe(0);
  });

  it('waits until the time that an operator sets', async () => {
    await schedule({}, '-1 hour');
    expect(await evaluateSchedules(options())).toBe(0);
  });

  it.each([
    [{ cron: '@daily' }, 'job_schedules_cron_five_fields'],
    [{ cron: '* * * *' }, 'job_schedules_cron_five_fields'],
    [{ cron: '* * * * * ' }, 'job_schedules_cron_five_fields'],
    [{ cron: '* * * * * *' }, 'job_schedules_cron_five_fields'],
    [{ timezone: 'Mars/Olympus' }, 'timezone: expected a name such as UTC or Europe/Berlin'],
    [{ timezone: '' }, 'timezone: expected a name'],
    [{ catch_up: 'some' }, 'job_schedules_catch_up_known'],
    [{ name: ' ' }, 'job_schedules_name_length'],
    [{ payload: '[]' }, 'job_schedules_payload_object'],
  ])('cannot be %j', async (columns, message) => {
    await expect(schedule(columns)).rejects.toThrow(message);
  });

  it.each(['* * * * *', '17 */6 * * *', '*/15 9-17 1-7 jan-jun MON-FRI', '0 6,18 * * 0'])(
    'can be %s',
    async (cron) => {
      await schedule({ cron });
    },
  );
});

describe('a schedule that cannot be evaluated', () => {
  it('says why, once, and does not stop the others', async () => {
    await schedule({ name: 'a', cron: '0 0 31 2 *' });
    // Postgres reads this one as an offset, JavaScript does not.
    await schedule({ name: 'b', timezone: 'FOO3' });
    await schedule({ name: 'c', type: 'test/keyed', payload: { repository: 7 } });
    await schedule({ name: 'd' });
    const made = await evaluateSchedules(options());
    expect(made).toBeGreaterThan(0);
    await evaluateSchedules(options());
    expect((await keysOf()).every((key) => String(key).startsWith('schedule:d@'))).toBe(true);
    expect(await rows('select name, problem from job_schedules order by name')).toEqual([
      { name: 'a', problem: 'cron: expected five fields that name a time which comes, got "0 0 31 2 *"' },
      { name: 'b', problem: 'timezone: expected a name such as Europe/Berlin, got "FOO3"' },
      { name: 'c', problem: 'job test/keyed: payload.repository: expected string, got number' },
      { name: 'd', problem: null },
    ]);
    expect(log.records.map(({ level, message }) => [level, message])).toEqual(
      Array(3).fill(['warn', 'the schedule cannot be evaluated']),
    );
  });

  it('has no problem any more once it is mended', async () => {
    await schedule({ cron: '0 0 31 2 *' });
    await evaluateSchedules(options());
    await rows(`update job_schedules set cron = '0 0 29 2 *'`);
    expect(await rows('select problem from job_schedules')).toEqual([{ problem: null }]);
  });

  it('has none either when it was the process that could not', async () => {
    await schedule({ type: 'test/keyed', payload: { repository: 'a' } });
    await database.rpc('report_job_schedule_problem', { name: 'nightly', problem: 'an older version' });
    await evaluateSchedules(options());
    expect(await rows('select problem from job_schedules')).toEqual([{ problem: null }]);
  });
});

describe('eight processes that look at the same time', () => {
  it('make one row per tick', async () => {
    for (let n = 0; n < 20; n += 1)
      await schedule({ name: `s${n}`, catch_up: 'all' }, '30 minutes 30 seconds');
    const made = await Promise.all(Array.from({ length: 8 }, () => evaluateSchedules(options())));
    const total = made.reduce((sum, each) => sum + each, 0);
    const counted = await rows(
      'select count(*)::int as rows, count(distinct idempotency_key)::int as keys from background_jobs',
    );
    expect(counted).toEqual([{ rows: total, keys: total }]);
    expect(total).toBeGreaterThanOrEqual(20 * 30);
    expect(total).toBeLessThanOrEqual(20 * 32);
  });

  it('lose no tick and make none twice while their connections are cut', async () => {
    for (let n = 0; n < 30; n += 1)
      await schedule({ name: `s${n}`, catch_up: 'all' }, '50 minutes 30 seconds');
    const pool = new pg.Pool({ connectionString: database.url, max: 8, application_name: 'evaluator' });
    pool.on('error', () => undefined);
    // One that is cut while the pool is being closed.
    pool.on('connect', (client) => client.on('error', () => undefined));
    const rpc = createPgRpc(pool);
    const killer = { ended: false };
    const cutAtRandom = async () => {
      while (!killer.ended)
        await rows(`select pg_terminate_backend(pid) from pg_stat_activity
          where application_name = 'evaluator' and datname = current_database() order by random() limit 1`);
    };
    const cutting = cutAtRandom();
    const look = async () => await evaluateSchedules(options({ rpc }));
    let ends: PromiseSettledResult<number>[] = [];
    while (!ends.some(({ status }) => status === 'rejected'))
      ends = await Promise.allSettled(Array.from({ length: 8 }, look));
    killer.ended = true;
    await cutting;
    await pool.end();
    await evaluateSchedules(options());
    const counted = await rows(`
      select count(*)::int as rows, count(distinct idempotency_key)::int as keys,
             min(j.made)::int >= 50 as least, max(j.made)::int <= 52 as most
      from background_jobs, lateral (
        select count(*) as made from background_jobs o
        where split_part(o.idempotency_key, '@', 1) = split_part(background_jobs.idempotency_key, '@', 1)) j`);
    expect(counted).toMatchObject([{ least: true, most: true }]);
    expect(counted[0]?.['rows']).toBe(counted[0]?.['keys']);
    expect(
      await rows('select distinct split_part(idempotency_key, $1, 1) from background_jobs', ['@']),
    ).toHaveLength(30);
    expect(await rows('select name from job_schedules where problem is not null')).toEqual([]);
  });

  it('do nothing with a schedule that somebody else has moved on', async () => {
    await schedule({});
    const args = { with_definitions: true };
    const [found] = await database.rpc<Record<string, string>[]>('list_job_schedules', args);
    const [seen, until] = [found?.['evaluated_until'], found?.['checked_at'] ?? ''];
    // Ticks of different minutes, so that only the look at the row can keep them apart.
    const advance = async (minutesAgo: number) => {
      const due = new Date(Date.parse(until) - minutesAgo * 60_000).toISOString();
      return await database.rpc<number>('advance_job_schedule', {
        name: 'nightly',
        seen,
        until,
        ticks: [{ due }],
      });
    };
    expect((await Promise.all([0, 1, 2, 3].map(advance))).sort()).toEqual([0, 0, 0, 1]);
    expect(await jobs()).toHaveLength(1);
  });
});

describe('advance_job_schedule', () => {
  it.each([
    [{ until: '2999-01-01T00:00:00Z', ticks: [] }, 'until: expected a time that is past'],
    [{ until: null, ticks: [] }, 'until: expected a time that is past, got nothing'],
    [{ until: '2026-01-01T00:00:00Z', ticks: {} }, 'ticks: expected an array of'],
    [{ until: '2026-01-01T00:00:00Z', ticks: ['2026-01-01T00:00:00Z'] }, 'ticks: expected an array of'],
    [{ until: '2026-01-01T00:00:00Z', ticks: [{ due: 1 }] }, 'ticks: expected an array of'],
  ])('refuses %j', async (args, message) => {
    const call = database.rpc('advance_job_schedule', { name: 'a', seen: '2026-01-01T00:00:00Z', ...args });
    await expect(call).rejects.toMatchObject({
      code: 'PT400',
      message: expect.stringContaining(message) as unknown,
    });
  });
});

it.each([null, {}, [{ type: 'a' }], [{ type: 1, cron: [] }], [{ type: 'a', cron: '* * * * *' }]])(
  'sync_job_schedules refuses %j',
  async (definitions) => {
    await expect(database.rpc('sync_job_schedules', { definitions })).rejects.toMatchObject({
      code: 'PT400',
    });
  },
);

it('an unreachable database is no problem of a schedule', async () => {
  const pool = new pg.Pool({ connectionString: 'postgres://nobody@127.0.0.1:1/none' });
  await expect(evaluateSchedules(options({ rpc: createPgRpc(pool) }))).rejects.toThrow(
    DatabaseUnreachableError,
  );
  await pool.end();
});
