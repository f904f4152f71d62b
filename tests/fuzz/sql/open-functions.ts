import type pg from 'pg';

/** A SQL function that `service_role` may call. */
export interface OpenFunction {
  name: string;
  arguments: { name: string; type: string; required: boolean }[];
  /** What its body, and the bodies of the functions it calls, compare with and look for: keys, states, lanes. */
  words: string[];
}

interface FunctionRow {
  name: string;
  arguments: OpenFunction['arguments'];
  source: string;
}

/** Every function of schema public that `service_role` may call, from the catalog, so that a new one is found by itself. */
export async function readOpenFunctions(pool: pg.Pool): Promise<OpenFunction[]> {
  const open = await readFunctions(
    pool,
    `p.pronamespace = 'public'::regnamespace and has_function_privilege('service_role', p.oid, 'execute')`,
  );
  const internal = await readFunctions(pool, `n.nspname in ('job_queue', 'capture')`);
  return open.map(({ name, arguments: args, source }) => ({
    name,
    arguments: args,
    words: wordsOf([source, ...calledBy(source, internal)].join('\n')),
  }));
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
