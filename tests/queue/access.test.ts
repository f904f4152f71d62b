import { beforeEach, describe, expect, it } from 'vitest';
import { useQueue } from './test-queue.ts';

const queue = useQueue();

const tables = [
  'background_jobs',
  'background_job_ready',
  'background_job_leases',
  'background_job_slots',
  'background_job_attempts',
  'background_job_steps',
  'job_types',
  'background_job_callbacks',
  'background_job_ends',
  'job_rollups',
  'job_rollup_progress',
  'job_recent_ends',
  'job_creations',
  'job_dead_letters',
];
const views = ['job_statistics', 'job_statistics_hourly', 'dead_letter_jobs', 'stuck_jobs', 'queue_depth'];

async function as(role: string, statement: string): Promise<unknown[]> {
  const client = await queue.connect();
  await client.query('begin');
  await client.query(`set local role ${role}`);
  try {
    return (await client.query(statement)).rows as unknown[];
  } finally {
    await client.query('rollback');
  }
}

async function functions(): Promise<{ call: string; name: string }[]> {
  return await queue.sql(
    `select p.oid::regprocedure::text as call, p.proname as name from pg_proc p
     where p.pronamespace = 'public'::regnamespace
       and (p.proname ~ 'background_job|job_type|job_lane|failed_job|job_statistics|callback|job_payload' or p.proname = 'uuid_v7')
       and p.proname !~ '^operator_'`,
  );
}

beforeEach(async () => {
  await queue.enqueue({ type: 'a', payload: { secret: 1 } });
});

describe('anon', () => {
  it.each([...tables, ...views])('cannot read or write %s', async (table) => {
    await expect(as('anon', `select from ${table}`)).rejects.toMatchObject({ code: '42501' });
    if (tables.includes(table)) {
      await expect(as('anon', `delete from ${table}`)).rejects.toMatchObject({ code: '42501' });
      await expect(as('anon', `insert into ${table} default values`)).rejects.toMatchObject({
        code: '42501',
      });
    }
  });
});

describe('authenticated', () => {
  it('reads the state of jobs, but not what is in them', async () => {
    expect(
      await as(
        'authenticated',
        'select id, type, status, lane, retry_count, run_at, started_at, duration_ms, progress from background_jobs',
      ),
    ).toHaveLength(1);
    for (const column of ['payload', 'result', 'error', 'callback_url', 'lease_token', '*'])
      await expect(as('authenticated', `select ${column} from background_jobs`)).rejects.toMatchObject({
        code: '42501',
      });
  });

  it('reads the statistics', async () => {
    expect(await as('authenticated', 'select type, queued from job_statistics')).toEqual([
      { type: 'a', queued: '1' },
    ]);
    await as('authenticated', 'select * from job_statistics_hourly');
  });

  it.each(tables)('cannot write %s', async (table) => {
    await expect(as('authenticated', `delete from ${table}`)).rejects.toMatchObject({ code: '42501' });
    await expect(as('authenticated', `insert into ${table} default values`)).rejects.toMatchObject({
      code: '42501',
    });
  });

  it('cannot update a job', async () => {
    await expect(as('authenticated', `update background_jobs set status = 'failed'`)).rejects.toMatchObject({
      code: '42501',
    });
  });

  it.each([...tables.slice(1), 'dead_letter_jobs', 'stuck_jobs', 'queue_depth'])(
    'cannot read %s',
    async (table) => {
      await expect(as('authenticated', `select * from ${table}`)).rejects.toMatchObject({ code: '42501' });
    },
  );
});

describe('service_role', () => {
  it('reads, inserts, updates and deletes jobs', async () => {
    expect(await as('service_role', 'select * from background_jobs')).toHaveLength(1);
    expect(
      await as('service_role', `insert into background_jobs (type) values ('b') returning id`),
    ).toHaveLength(1);
    expect(await as('service_role', `update background_jobs set priority = 1 returning id`)).toHaveLength(1);
    expect(await as('service_role', `delete from background_jobs returning id`)).toHaveLength(1);
  });

  it.each([...tables.slice(1), ...views])('reads %s and does not write it', async (table) => {
    await as('service_role', `select * from ${table}`);
    if (tables.includes(table)) {
      await expect(as('service_role', `delete from ${table}`)).rejects.toMatchObject({ code: '42501' });
      await expect(as('service_role', `insert into ${table} default values`)).rejects.toMatchObject({
        code: '42501',
      });
    }
  });

  it('cannot truncate the jobs', async () => {
    await expect(as('service_role', 'truncate background_jobs cascade')).rejects.toMatchObject({
      code: '42501',
    });
  });
});

describe('the functions', () => {
  it('may be executed by service_role alone', async () => {
    const all = await functions();
    expect(all.length).toBeGreaterThanOrEqual(24);
    const may = await queue.sql<{ call: string; roles: string[] }>(
      `select f.call, array(select r.name from unnest(array['anon', 'authenticated', 'service_role']) as r(name)
                            where has_function_privilege(r.name, f.call, 'execute')) as roles
       from unnest($1::text[]) as f(call)`,
      [all.map(({ call }) => call)],
    );
    expect(may.filter(({ roles }) => roles.join() !== 'service_role')).toEqual([]);
  });

  it('have no overloads, which PostgREST could not tell apart', async () => {
    const names = (await functions()).map(({ name }) => name);
    expect(names.length).toBe(new Set(names).size);
  });

  it('of the queue’s own schema are nobody’s, but through the two views of statistics', async () => {
    const open = await queue.sql(
      `select p.oid::regprocedure, r.name from pg_proc p, unnest(array['anon', 'authenticated', 'service_role']) as r(name)
       where p.pronamespace = 'job_queue'::regnamespace and has_function_privilege(r.name, p.oid, 'execute')
         and not (p.proname in ('job_statistics', 'job_statistics_hourly') and r.name <> 'anon')`,
    );
    expect(open).toEqual([]);
    for (const role of ['anon', 'authenticated', 'service_role'])
      expect(await queue.value(`select has_schema_privilege($1, 'job_queue', 'usage')`, [role])).toBe(false);
  });

  it('each say what they do, and fix their search_path', async () => {
    const careless = await queue.sql(
      `select p.oid::regprocedure from pg_proc p
       where p.pronamespace in ('public'::regnamespace, 'job_queue'::regnamespace)
         and (obj_description(p.oid) is null or not coalesce(p.proconfig::text like '%search_path=%', false))`,
    );
    expect(careless).toEqual([]);
  });
});

describe('row level security', () => {
  it('is on for every table, and every view asks as its reader', async () => {
    const open = await queue.sql(
      `select c.relname from pg_class c where c.relnamespace = 'public'::regnamespace and c.relname = any ($1)
         and not (c.relkind = 'r' and c.relrowsecurity)
         and not (c.relkind = 'v' and coalesce(c.reloptions::text like '%security_invoker=true%', false))`,
      [[...tables, ...views]],
    );
    expect(open).toEqual([]);
  });
});
