import type pg from 'pg';

/** A SQL function that can be called through the gateway. */
export interface OpenFunction {
  name: string;
  /** As whom it is called here: `authenticated` where `service_role` may not. */
  role: 'service_role' | 'authenticated';
  arguments: { name: string; type: string; required: boolean }[];
  /** What its body, and the bodies of the functions it calls, compare with and look for: keys, states, lanes. */
  words: string[];
}

interface FunctionRow {
  name: string;
  arguments: OpenFunction['arguments'];
  source: string;
}

/** Every function of schema public that anybody may call, from the catalog, so that a new one is found by itself. */
export async function readOpenFunctions(pool: pg.Pool): Promise<OpenFunction[]> {
  const may = (role: string): string => `has_function_privilege('${role}', p.oid, 'execute')`;
  const isPublic = `p.pronamespace = 'public'::regnamespace`;
  const forService = await readFunctions(pool, `${isPublic} and ${may('service_role')}`);
  const forUsers = await readFunctions(
    pool,
    `${isPublic} and ${may('authenticated')} and not ${may('service_role')}`,
  );
  const internal = await readFunctions(pool, `n.nspname in ('job_queue', 'capture')`);
  const opened = (rows: readonly FunctionRow[], role: OpenFunction['role']): OpenFunction[] =>
    rows.map(({ name, arguments: args, source }) => ({
      ...{ name, role, arguments: args },
      words: wordsOf([source, ...calledBy(source, internal)].join('\n')),
    }));
  return [...opened(forService, 'service_role'), ...opened(forUsers, 'authenticated')];
}

async function readFunctions(pool: pg.Pool, condition: string): Promise<FunctionRow[]> {
  const { rows } = await pool.query<FunctionRow>(
    `select p.proname as name, p.prosrc as source,
            coalesce((
              select jsonb_agg(jsonb_build_object(
                  'name', p.proargnames[i], 'type', format_type(p.proargtypes[i - 1], null),
                  'required', i <= p.pronargs - p.pronargdefaults) order by i)
              from generate_series(1, p.pronargs) as i), '[]') as arguments
     from pg_proc p join pg_namespace n on n.oid = p.pronamespace
     where ${condition} and p.prorettype <> 'trigger'::regtype and p.prokind = 'f'
       and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
     order by p.proname`,
  );
  return rows;
}

/** Sources of the functions that are called by name, and of those that they call. */
function calledBy(source: string, internal: readonly FunctionRow[]): string[] {
  const called = new Set<FunctionRow>();
  const visit = (text: string): void => {
    for (const candidate of internal) {
      if (called.has(candidate) || !text.includes(`.${candidate.name}(`)) continue;
      called.add(candidate);
      visit(candidate.source);
    }
  };
  visit(source);
  return [...called].map(({ source: text }) => text);
}

/** Quoted words, the elements of quoted lists, and the columns of `jsonb_to_recordset(…) as i(…)`. */
function wordsOf(source: string): string[] {
  const quoted = [...source.matchAll(/'\{?\[?([\w,"\s.:-]{2,})\]?\}?'/g)].flatMap(([, list = '']) =>
    list.split(/[,"\s]+/),
  );
  const listed = [...source.matchAll(/"(\w+)"/g)].map(([, word = '']) => word);
  const columns = [
    ...source.matchAll(/(\w+) (?:text|jsonb|uuid|integer|bigint|boolean|timestamptz|date|real\[\])(?=[,)])/g),
  ];
  const words = [...quoted, ...listed, ...columns.map(([, name = '']) => name)];
  return [...new Set(words)].filter((word) => /^[a-zA-Z][\w.:/-]*$/.test(word)).sort();
}
