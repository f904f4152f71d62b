import type pg from 'pg';

/** How PostgREST answers a function: nothing, one JSON value, or an array; and whether a row is an object. */
export type Returns = 'void' | 'scalar' | 'scalars' | 'row' | 'rows';

/** One function of schema `public`, as `pg_proc` describes it. */
export interface Signature {
  /** Input arguments in order; an unnamed one has the name ''. */
  arguments: { name: string; type: string; required: boolean }[];
  returns: Returns;
}

const QUERY = `
  select jsonb_build_object(
    'returns', case
      when p.prorettype = 'void'::regtype then 'void'
      when t.typtype = 'c' or coalesce(p.proargmodes::text[] && '{t,b,o}', false)
        then case when p.proretset then 'rows' else 'row' end
      when p.proretset then 'scalars'
      else 'scalar'
    end,
    'arguments', coalesce((
      select jsonb_agg(
        jsonb_build_object(
          'name', argument.name,
          'type', format_type(argument.type, null),
          'required', argument.input_position <= p.pronargs - p.pronargdefaults)
        order by argument.input_position)
      from (
        select
          coalesce(p.proargnames[position], '') as name, type,
          row_number() over (order by position) as input_position
        from unnest(coalesce(p.proallargtypes, p.proargtypes::oid[]), p.proargmodes)
          with ordinality as every_argument(type, mode, position)
        where coalesce(mode, 'i') in ('i', 'b', 'v')
      ) as argument
    ), '[]')
  ) as signature
  from pg_catalog.pg_proc as p
  join pg_catalog.pg_type as t on t.oid = p.prorettype
  where p.pronamespace = 'public'::regnamespace and p.proname = $1 and p.prokind = 'f'`;

/** All functions of schema `public` with this name. */
export async function readSignatures(client: pg.ClientBase, name: string): Promise<Signature[]> {
  const { rows } = await client.query<{ signature: Signature }>(QUERY, [name]);
  return rows.map(({ signature }) => signature);
}
