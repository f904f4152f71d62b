import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { closedJobColumns, forSignedIn, isForOperators, relations, type Verb } from './matrix.ts';

const roles = ['anon', 'authenticated', 'service_role'] as const;
const verbs: readonly Verb[] = ['select', 'insert', 'update', 'delete'];
const user = '01920000-0000-7000-8000-000000000001';
const other = '01920000-0000-7000-8000-000000000002';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
  await seed(database.pool);
});
afterAll(async () => await database.close());

async function sql<Row extends object>(statement: string, values: unknown[] = []): Promise<Row[]> {
  return (await database.pool.query<Row>(statement, values)).rows;
}

/** One workspace and one analysis of each of two users. */
async function seed(pool: pg.Pool): Promise<void> {
  await pool.query(`insert into repositories (github_id, owner, name) values (1, 'octo-org', 'one')`);
  for (const [position, owner] of [user, other].entries()) {
    await pool.query(
      `with made as (insert into workspaces (name, slug, owner_id) values ('w', $1, $2) returning id)
       insert into workspace_repositories (workspace_id, repository_id) select m.id, r.id from made m, repositories r`,
      [`w-${position}`, owner],
    );
    await pool.query('insert into analysis_jobs (user_id, repository_id) select $1, id from repositories', [
      owner,
    ]);
  }
  await pool.query(`select aggregate_workspace_metrics(id) from workspaces`);
}

/** Runs a statement as somebody who came through the gateway, and takes back what it did. */
async function as(
  caller: { role: (typeof roles)[number]; claims?: object },
  statement: string,
): Promise<{ rows: unknown[] } | { code: string }> {
  const client = await database.pool.connect();
  try {
    await client.query(`begin; set local role ${caller.role}`);
    await client.query(`select set_config('request.jwt.claims', $1, true)`, [
      JSON.stringify(caller.claims ?? {}),
    ]);
    return { rows: (await client.query(statement)).rows as unknown[] };
  } catch (error) {
    return { code: (error as pg.DatabaseError).code ?? '' };
  } finally {
    await client.query('rollback');
    client.release();
  }
}

const signedIn = (sub: string, more: object = {}) =>
  ({ role: 'authenticated', claims: { role: 'authenticated', sub, ...more } }) as const;

describe('tables and views', () => {
  it('each have their place in the matrix, and it has no others', async () => {
    const found = await sql<{ name: string }>(
      `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f')`,
    );
    expect(found.map(({ name }) => name).sort()).toEqual(Object.keys(relations).sort());
  });

  it('are open to each role for the verbs of the matrix, and for no other', async () => {
    const granted = await sql<{
      name: string;
      role: (typeof roles)[number];
      verbs: Verb[];
      others: string[];
    }>(
      `select c.relname as name, r.role,
              array(select v from unnest($2::text[]) as v where has_table_privilege(r.role, c.oid, v)) as verbs,
              array(select v from unnest(array['truncate', 'references', 'trigger']) as v
                    where has_table_privilege(r.role, c.oid, v)) as others
       from pg_class c, unnest($1::text[]) as r(role)
       where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f')`,
      [roles, verbs],
    );
    expect(granted.length).toBe(Object.keys(relations).length * roles.length);
    const wrong = granted.filter(({ name, role, verbs: may, others }) => {
      const should = shouldHave(name, role);
      return others.length > 0 || may.join() !== should.join();
    });
    expect(wrong).toEqual([]);
  });

  it.each(Object.keys(relations))('%s refuses anon everything, by what it answers', async (name) => {
    const statements = [`select from ${name}`, `insert into ${name} default values`, `delete from ${name}`];
    const answers = await Promise.all(statements.map((statement) => as({ role: 'anon' }, statement)));
    expect(answers).not.toContainEqual(expect.objectContaining({ rows: expect.anything() as unknown }));
    expect(answers[0]).toEqual({ code: '42501' });
  });

  it.each(Object.entries(relations).filter(([, { authenticated }]) => authenticated === 'own rows'))(
    '%s shows a signed-in user their own rows, and another user others',
    async (name) => {
      const read = async (sub: string) => {
        const answer = await as(signedIn(sub), `select to_jsonb(t) as row from ${name} t`);
        return 'rows' in answer ? answer.rows : [];
      };
      const [mine, theirs] = [await read(user), await read(other)];
      expect(mine.length).toBeGreaterThan(0);
      expect(theirs.length).toBe(mine.length);
      expect(
        mine.filter((row) => theirs.some((another) => JSON.stringify(row) === JSON.stringify(another))),
      ).toEqual([]);
      expect(await read('01920000-0000-7000-8000-00000000000f')).toEqual([]);
      expect(await as({ role: 'authenticated' }, `select from ${name}`)).toEqual({ rows: [] });
    },
  );

  it('background_jobs shows a signed-in user neither what is in a job nor its lease', async () => {
    for (const column of closedJobColumns)
      expect(await as(signedIn(user), `select ${column} from background_jobs`)).toEqual({ code: '42501' });
    expect(await as(signedIn(user), 'select id, status from background_jobs')).toHaveProperty('rows');
  });

  it('with secrets show them to nobody', async () => {
    const secrets = [
      ['user_credentials', 'ciphertext'],
      ['callback_endpoints', 'secret'],
    ] as const;
    for (const [table, column] of secrets)
      for (const role of roles)
        expect(await as({ role }, `select ${column} from ${table}`)).toEqual({ code: '42501' });
  });
});

function shouldHave(name: string, role: (typeof roles)[number]): readonly Verb[] {
  const access = relations[name];
  if (!access || role === 'anon') return [];
  if (role === 'service_role') return access.service_role;
  return access.authenticated === 'every row' || access.authenticated === 'own rows' ? ['select'] : [];
}

interface FunctionGrants {
  name: string;
  arguments: number;
  roles: string[];
}

async function functions(schema: string): Promise<FunctionGrants[]> {
  return await sql<FunctionGrants>(
    `select p.proname as name, p.pronargs as arguments,
            array(select r from unnest($2::text[]) as r where has_function_privilege(r, p.oid, 'execute')) as roles
     from pg_proc p join pg_namespace n on n.oid = p.pronamespace
     where n.nspname = $1 and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')`,
    [schema, roles],
  );
}

describe('functions', () => {
  it('of schema public are for service_role, or for signed-in users, who are named in the matrix; never for anon', async () => {
    const all = await functions('public');
    const wrong = all.filter(({ name, roles: may }) => {
      const isOpen = forSignedIn.includes(name) || isForOperators(name);
      return may.includes('anon') || may.includes('authenticated') !== isOpen;
    });
    expect(wrong).toEqual([]);
    expect(all.filter(({ name }) => forSignedIn.includes(name)).length).toBe(forSignedIn.length);
  });

  it('of other schemas are for nobody', async () => {
    const schemas = await sql<{ name: string }>(
      `select nspname as name from pg_namespace where nspname !~ '^pg_' and nspname not in ('public', 'information_schema')`,
    );
    expect(schemas.map(({ name }) => name)).toContain('job_queue');
    for (const { name } of schemas) {
      const reachable = await sql<{ role: string }>(
        `select r as role from unnest($2::text[]) as r where has_schema_privilege(r, $1, 'usage')`,
        [name, roles],
      );
      expect([name, reachable]).toEqual([name, []]);
    }
  });

  it('for signed-in users refuse who is not signed in', async () => {
    for (const { name, arguments: count } of (await functions('public')).filter(({ roles: may }) =>
      may.includes('authenticated'),
    ))
      expect([name, await call(name, count, { role: 'authenticated' })]).toEqual([
        name,
        expect.stringMatching(/^PT40[13]$/),
      ]);
  });

  it('for operators refuse other users, also one who writes the role where users can write it', async () => {
    const pretenders = [
      signedIn(user),
      signedIn(user, { user_metadata: { role: 'job_operator' } }),
      signedIn(user, { app_metadata: { role: 'job_operators' } }),
      signedIn(user, { job_operator: true, app_metadata: null }),
    ];
    for (const { name, arguments: count } of (await functions('public')).filter(({ name: each }) =>
      isForOperators(each),
    ))
      for (const pretender of pretenders)
        expect([name, await call(name, count, pretender)]).toEqual([name, 'PT403']);
  });
});

/** @returns the SQLSTATE of a call with nothing but nulls, or `accepted` */
async function call(name: string, count: number, caller: Parameters<typeof as>[0]): Promise<string> {
  const nulls = Array.from({ length: count }, () => 'null').join();
  const answer = await as(caller, `select * from public.${name}(${nulls})`);
  return 'code' in answer ? answer.code : 'accepted';
}
