import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { removeStandIns, standIns } from './extension-stand-ins.ts';
import { useQueue } from './test-queue.ts';

const queue = useQueue();
const url = 'https://project.supabase.co/functions/v1/process-job';
const secret = 'a-dedicated-secret';

type Extension = keyof typeof standIns;
const all = Object.keys(standIns) as Extension[];

async function create(...extensions: Extension[]): Promise<void> {
  for (const extension of extensions) await queue.sql(standIns[extension]);
}

const keepSecret = () => queue.sql(`select vault.create_secret($1, 'process_job_secret')`, [secret]);
const schedule = (...more: unknown[]): Promise<number> =>
  queue.value(`select schedule_wake($1${more.map((_, n) => `, $${n + 2}`).join('')})`, [url, ...more]);
const wake = (): Promise<number> => queue.value('select wake_process_job($1)', [url]);
const calls = () => queue.sql<{ headers: Record<string, string> }>('select * from net.calls');
const problem = () => queue.value<string | null>('select problem from background_job_wakes');

beforeEach(() => queue.sql('update background_job_wakes set woken_at = null, isolates = 0, problem = null'));
afterEach(() => removeStandIns(queue));

describe('on a database with pg_cron, pg_net and Vault (stand-ins that record the calls)', () => {
  beforeEach(async () => {
    await create(...all);
    await keepSecret();
  });

  it('schedule_wake has pg_cron call it every 3 s, and no secret is stored', async () => {
    await schedule();
    expect(await queue.sql('select jobname, schedule, command from cron.job')).toEqual([
      {
        jobname: 'wake process-job',
        schedule: '3 seconds',
        command: `select public.wake_process_job('${url}', 'process_job_secret')`,
      },
    ]);
  });

  it('schedule_wake replaces its own schedule, unschedule_wake ends it', async () => {
    await queue.sql(`select vault.create_secret('x', 'it''s another')`);
    const first = await schedule();
    expect(await schedule("it's another", 10)).toBe(first);
    const jobs = await queue.sql<{ schedule: string; command: string }>('select * from cron.job');
    expect(jobs).toMatchObject([{ schedule: '10 seconds' }]);
    expect(await queue.value(jobs[0]!.command)).toBe(0);
    expect(await problem()).toBeNull();
    expect(await queue.value('select unschedule_wake()')).toBe(true);
    expect(await queue.sql('select from cron.job')).toEqual([]);
    expect(await queue.value('select unschedule_wake()')).toBe(false);
  });

  it.each([
    ['no-url', 'process_job_secret', 3, "process_job_url: expected an http(s) URL, got 'no-url'"],
    [null, 'process_job_secret', 3, 'process_job_url: expected an http(s) URL, got nothing'],
    [url, 'process_job_secret', 0, 'every_seconds: expected 1 to 59, got 0'],
    [url, 'process_job_secret', 60, 'every_seconds: expected 1 to 59, got 60'],
    [url, 'unknown', 3, 'Vault has no secret named unknown'],
  ])('schedule_wake(%s, %s, %s) is refused', async (...given) => {
    const message = given.pop();
    await expect(queue.sql('select schedule_wake($1, $2, $3)', given)).rejects.toMatchObject({
      code: 'PT400',
      message,
    });
  });

  it('jobs that nobody was told of are found by the next sweep, which wakes one isolate', async () => {
    await queue.enqueue({ type: 'test/forgotten' });
    expect(await wake()).toBe(1);
    expect(await calls()).toEqual([
      {
        url,
        body: {},
        params: {},
        headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
        timeout_milliseconds: 5000,
      },
    ]);
  });

  it('a backlog wakes several isolates at once, an empty queue none', async () => {
    expect(await wake()).toBe(0);
    await queue.enqueue(...Array.from({ length: 10_000 }, () => ({ type: 'test/many' })));
    expect(await wake()).toBe(5);
    expect(await calls()).toHaveLength(5);
  });

  it('a job whose process died is rescued by the same call', async () => {
    const { id } = await queue.running();
    await queue.expireLeases(id);
    await wake();
    expect(await queue.job(id)).toMatchObject({ status: 'queued', retry_count: 1 });
  });

  it('a secret that is renewed in Vault is the one that the next call carries', async () => {
    await queue.sql(`update vault.secrets set secret = 'renewed'`);
    await queue.enqueue({ type: 'test/job' });
    await wake();
    expect((await calls()).map(({ headers }) => headers['authorization'])).toEqual(['Bearer renewed']);
  });

  it.each([
    [
      'a secret that was removed',
      'delete from vault.secrets',
      'Vault has no secret named process_job_secret',
    ],
    [
      'a pg_net that refuses',
      `create or replace function net.http_post(
         url text, body jsonb default '{}', params jsonb default '{}', headers jsonb default '{}',
         timeout_milliseconds integer default 1000)
       returns bigint language plpgsql as $$ begin raise 'the worker is down'; end $$`,
      'the worker is down',
    ],
  ])('%s is noted, and the sweep stands; once mended the note goes', async (_, harm, expected) => {
    const { id } = await queue.running();
    await queue.expireLeases(id);
    await queue.internally(`update background_jobs set max_retries = 9 where id = $1`, [id]);
    await queue.enqueue({ type: 'test/waits' });
    await queue.sql(harm);
    expect(await wake()).toBe(0);
    expect(await queue.job(id)).toMatchObject({ status: 'queued' });
    expect(await problem()).toBe(expected);
    await removeStandIns(queue);
    await create(...all);
    await keepSecret();
    expect(await wake()).toBe(1);
    expect(await problem()).toBeNull();
  });
});

describe('on a database without', () => {
  it.each([
    ['pg_cron', 'create extension pg_cron;'],
    ['pg_net', 'create extension pg_net;'],
    ['supabase_vault', 'create extension supabase_vault;'],
  ] as [Extension, string][])('%s schedule_wake says so, and what to do', async (extension, hint) => {
    await create(...all.filter((other) => other !== extension));
    await expect(schedule()).rejects.toMatchObject({
      code: 'PT400',
      message: `the extension ${extension} is missing`,
      hint,
    });
  });

  it('the secret it says how to keep it', async () => {
    await create(...all);
    await expect(schedule()).rejects.toMatchObject({
      message: 'Vault has no secret named process_job_secret',
      hint: `select vault.create_secret('<PROCESS_JOB_SECRET>', 'process_job_secret');`,
    });
  });

  it('any of them there is nothing to unschedule, and waking sweeps only', async () => {
    expect(await queue.value('select unschedule_wake()')).toBe(false);
    const { id } = await queue.running();
    await queue.expireLeases(id);
    expect(await wake()).toBe(0);
    expect(await queue.job(id)).toMatchObject({ status: 'queued' });
    expect(await problem()).toBe('the extension pg_net is missing');
  });
});

it('the secret can be sent by nobody but the owner: no role may call these functions', async () => {
  const open = await queue.sql(
    `select f.name, r.name as role from unnest(array['wake_process_job', 'schedule_wake', 'unschedule_wake']) as f(name)
     join pg_proc p on p.proname = f.name, unnest(array['anon', 'authenticated', 'service_role']) as r(name)
     where has_function_privilege(r.name, p.oid, 'execute')`,
  );
  expect(open).toEqual([]);
});
