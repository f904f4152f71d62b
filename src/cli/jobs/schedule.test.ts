import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import { runJobs } from '../../../tests/support/jobs-command.ts';
import { HelpRequest, UsageError } from '../command/command-line.ts';

let database: TestDatabase;

beforeAll(async () => (database = await createTestDatabase()));
afterAll(async () => await database.close());
afterEach(async () => void (await database.pool.query('delete from job_schedules')));

/** A Sunday, in winter where there is one. */
const now = new Date('2099-11-22T12:00:00Z');

/** What `npm run jobs -- schedule …` prints. */
async function schedule(...args: string[]): Promise<string> {
  const { code, output } = await runJobs(['schedule', ...args], { env: { DATABASE_URL: database.url }, now });
  expect(code).toBe(0);
  return output;
}

async function asJson(...args: string[]): Promise<unknown> {
  return JSON.parse(await schedule(...args, '--json')) as unknown;
}

const nightly = ['set', 'nightly', '--type', 'system/ping', '--cron', '30 2 * * *'];
const sync = (cron: string) =>
  database.pool.query('select sync_job_schedules($1)', [
    JSON.stringify([{ type: 'system/ping', cron: [cron] }]),
  ]);

describe('schedule set', () => {
  it('makes a schedule and says when it comes first', async () => {
    expect(await schedule(...nightly, '--timezone', 'America/New_York')).toBe(
      'Schedule nightly is made. Next: 2099-11-23 02:30 (Mon) in America/New_York.',
    );
    expect(await asJson('list')).toMatchObject([
      {
        name: 'nightly',
        type: 'system/ping',
        cron: '30 2 * * *',
        timezone: 'America/New_York',
        payload: {},
        catch_up: 'last',
        enabled: true,
        source: 'operator',
        next: '2099-11-23T07:30:00.000Z',
        problem: null,
      },
    ]);
  });

  it('changes what is given, and keeps the rest', async () => {
    await schedule(...nightly, '--payload', '{"hello": "world"}', '--catch-up', 'all');
    expect(await asJson('set', 'nightly', '--cron', '0 4 * * mon')).toMatchObject({
      created: false,
      type: 'system/ping',
      cron: '0 4 * * mon',
      payload: { hello: 'world' },
      catch_up: 'all',
    });
  });

  it('stores the canonical type for an alias', async () => {
    await schedule('set', 'aliased', '--type', 'sync/workspace-priorities', '--cron', '* * * * *');
    expect(await asJson('list')).toMatchObject([{ type: 'sync/workspace.priorities' }]);
  });

  it.each([
    [['set', 'n', '--cron', '* * * * *'], '--type: expected the type of the jobs, got nothing'],
    [['set', 'n', '--type', 'system/ping'], '--cron: expected five fields'],
    [
      [...nightly, '--cron', '0 0 31 2 *'],
      'cron: expected five fields that name a time which comes, got "0 0 31 2 *"',
    ],
    [[...nightly, '--cron', '@daily'], 'cron: expected five fields'],
    [
      [...nightly, '--timezone', 'Mars/Olympus'],
      'timezone: expected a name such as Europe/Berlin, got "Mars/Olympus"',
    ],
    [[...nightly, '--type', 'system/pong'], '--type: unknown job type system/pong, expected one of\n'],
    [[...nightly, '--payload', '{hello}'], '--payload: expected a JSON object, got something else'],
    [[...nightly, '--payload', '[1]'], '--payload: expected a JSON object, got an array'],
    [[...nightly, '--payload', '7'], '--payload: expected a JSON object, got a number'],
    [['set', 'nightly', '--payload', 'null'], '--payload: expected a JSON object, got null'],
    [[...nightly, '--catch-up', 'some'], "catch_up: expected none, last or all, got 'some'"],
    [
      [
        'set',
        'n',
        '--cron',
        '* * * * *',
        '--type',
        'capture/repository.sync',
        '--payload',
        '{"repository": 7}',
      ],
      'job capture/repository.sync: payload.repository: expected',
    ],
    [['set', 'nightly'], 'Expected something to set'],
    [['set'], 'Expected the name of one schedule'],
    [['set', 'two', 'names'], 'Expected the name of one schedule'],
    [['set', ' ', '--type', 'system/ping', '--cron', '* * * * *'], 'name: expected 1 to 500 bytes'],
    [['set', 'n', '--loud'], "Unknown option '--loud'"],
  ])('refuses %j, naming the field, and stores nothing', async (args, message) => {
    const refusal = schedule(...args);
    await expect(refusal).rejects.toThrow(message);
    await expect(refusal).rejects.toBeInstanceOf(UsageError);
    expect(await asJson('list')).toEqual([]);
  });
});

describe('schedule next', () => {
  it('tells five times on the clock of the timezone, also where the clocks change', async () => {
    await schedule(...nightly, '--cron', '0 9 28-31 3 *', '--timezone', 'Europe/Berlin');
    const ticks = await asJson('next', 'nightly');
    expect(ticks).toEqual({
      name: 'nightly',
      timezone: 'Europe/Berlin',
      enabled: true,
      next: [
        '2100-03-28T07:00:00.000Z',
        '2100-03-29T07:00:00.000Z',
        '2100-03-30T07:00:00.000Z',
        '2100-03-31T07:00:00.000Z',
        '2101-03-28T07:00:00.000Z',
      ],
    });
    expect(await schedule('next', 'nightly')).toMatch(
      /│ 2100-03-28 09:00 \(Sun\) │ 2100-03-28 07:00 \(Sun\) │/,
    );
  });

  it('tells the times once where the timezone is UTC', async () => {
    await schedule(...nightly, '--cron', '0 9 28 3 *');
    expect(await schedule('next', 'nightly')).toMatch(/│ UTC +│\n.*\n│ 2100-03-28 09:00 \(Sun\) │\n/);
  });

  it('says that a paused one does not come', async () => {
    await schedule(...nightly);
    await schedule('pause', 'nightly');
    expect(await schedule('next', 'nightly')).toContain('It is paused');
  });
});

describe('schedule pause, resume and remove', () => {
  it('switch a schedule off, on, and take it away', async () => {
    await schedule(...nightly);
    expect(await schedule('pause', 'nightly')).toBe('Schedule nightly is paused.');
    expect(await schedule('list')).toMatch(/│ nightly .* paused /);
    expect(await asJson('resume', 'nightly')).toEqual({ name: 'nightly', enabled: true });
    expect(await schedule('list')).toContain('2099-11-23 02:30 (Mon)');
    expect(await schedule('remove', 'nightly')).toBe('Schedule nightly is removed.');
    expect(await schedule('list')).toBe('There are no schedules: npm run jobs -- schedule set --help');
  });

  it.each(['pause', 'resume', 'remove', 'next'])(
    '%s says that there is none of the name',
    async (command) => {
      await expect(schedule(command, 'other')).rejects.toThrow('There is no schedule "other"');
    },
  );

  it('leave a schedule of a job definition its time', async () => {
    await sync('0 0 * * *');
    const name = 'system/ping 0 0 * * *';
    await expect(schedule('remove', name)).rejects.toThrow('pause_job_schedule stops it');
    await expect(schedule('set', name, '--cron', '* * * * *')).rejects.toThrow('only catch_up can be set');
    await schedule('set', name, '--catch-up', 'none');
    await schedule('pause', name);
    expect(await asJson('list')).toMatchObject([{ name, enabled: false, catch_up: 'none', next: null }]);
  });
});

it('list shows why a schedule has no next time', async () => {
  await database.pool.query(
    `insert into job_schedules (name, type, cron) values ('never', 'system/ping', '0 0 31 2 *')`,
  );
  expect(await asJson('list')).toMatchObject([
    { next: null, problem: 'cron: expected five fields that name a time which comes, got "0 0 31 2 *"' },
  ]);
});

it.each([[[]], [['list']], [['set']], [['next']], [['pause']], [['resume']], [['remove']]])(
  'schedule %j --help shows an example',
  async (args) => {
    const help = await schedule(...args, '--help').catch((error: unknown) => error);
    expect(help).toBeInstanceOf(HelpRequest);
    expect((help as HelpRequest).message).toMatch(/^ {2}npm run jobs -- schedule /m);
  },
);

it.each([
  [['lists'], 'Unknown command "schedule lists"'],
  [['toString'], 'Unknown command "schedule toString"'],
  [['list', 'all'], 'Expected no arguments'],
])('schedule %j is a wrong use', async (args, message) => {
  await expect(schedule(...args)).rejects.toThrow(message);
});
