import type pg from 'pg';

/** A function as its callers see it. */
interface Offer {
  /** Type by argument name. */
  arguments: Readonly<Record<string, string>>;
  /** Of these names. */
  required: readonly string[];
  /** Type by column; of a function that returns no rows `{ '': type }`. */
  returns: Record<string, string>;
  set: boolean;
}

/** By function name; there are no overloads. */
export type Offers = Map<string, Offer>;

const query = `
  select p.proname as name, p.proretset as set, p.pronargs - p.pronargdefaults as required,
    array(select json_build_array(coalesce(p.proargnames[n], ''), format_type(a.type, null), coalesce(p.proargmodes[n], 'i'))
          from unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) with ordinality as a(type, n) order by n) as arguments,
    format_type(p.prorettype, null) as returned
  from pg_proc p
  where p.pronamespace = 'public'::regnamespace and has_function_privilege('service_role', p.oid, 'execute')
    and p.prorettype <> 'trigger'::regtype`;

/** The functions that a key of the server may call in this database. */
export async function readOffers(pool: pg.Pool): Promise<Offers> {
  const { rows } = await pool.query<{
    name: string;
    set: boolean;
    required: number;
    arguments: [string, string, string][];
    returned: string;
  }>(query);
  return new Map(rows.map((row) => [row.name, toOffer(row)]));
}

function toOffer(row: {
  set: boolean;
  required: number;
  arguments: [string, string, string][];
  returned: string;
}): Offer {
  const inputs = row.arguments.filter(([, , mode]) => mode === 'i');
  const columns = row.arguments.filter(([, , mode]) => mode === 't' || mode === 'o');
  const named = (list: [string, string, string][]) =>
    Object.fromEntries(list.map(([name, type]) => [name, type] as const));
  return {
    arguments: named(inputs),
    required: inputs.slice(0, row.required).map(([name]) => name),
    returns: columns.length > 0 ? named(columns) : { '': row.returned },
    set: row.set,
  };
}

/** What somebody who calls as `before` says would miss in `after`; a line for each function. */
export function takenBack(before: Offers, after: Offers): { name: string; problem: string }[] {
  return [...before].flatMap(([name, offer]) => {
    const problem = problemOf(offer, after.get(name));
    return problem === null ? [] : [{ name, problem }];
  });
}

function problemOf(before: Offer, after: Offer | undefined): string | null {
  if (!after) return 'is gone';
  const asked = after.required.find((name) => !before.required.includes(name));
  if (asked !== undefined) return `needs the argument ${asked}`;
  const argument = lost(before.arguments, after.arguments);
  if (argument !== undefined) return `has no argument ${argument}`;
  const column = lost(before.returns, after.returns);
  if (column !== undefined) return `no longer answers ${column || 'the same type'}`;
  return before.set === after.set ? null : 'answers another number of rows';
}

/** The first name that is missing or has another type. */
function lost(before: Record<string, string>, after: Record<string, string>): string | undefined {
  return Object.keys(before).find((name) => before[name] !== after[name]);
}
