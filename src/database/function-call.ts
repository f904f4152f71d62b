import { RpcError } from './rpc.ts';

/** How PostgREST answers a function: nothing, one JSON value, or an array; and whether a row is an object. */
type Returns = 'void' | 'scalar' | 'scalars' | 'row' | 'rows';

/** One function of schema `public`, as `pg_proc` describes it. */
export interface Signature {
  /** Input arguments in order. */
  arguments: { name: string; type: string; required: boolean }[];
  returns: Returns;
}

/** A statement whose single row has a single column `body`: the JSON text that PostgREST would answer, or null. */
export interface FunctionCall {
  text: string;
  values: (string | null)[];
  returns: Returns;
}

/** Reads the signatures of all functions with one name ($1): rows of `{ signature }`. */
export const SIGNATURE_QUERY = `
  select jsonb_build_object(
    'returns', case
      when p.prorettype = 'void'::regtype then 'void'
      when t.typtype = 'c' or coalesce(p.proargmodes::text[] && '{t,b,o}', false)
        then case when p.proretset then 'rows' else 'row' end
      when p.proretset then 'scalars'
      else 'scalar'
    end,
    'arguments', coalesce((
      select jsonb_agg(jsonb_build_object(
        'name', argument.name, 'type', format_type(argument.type, null),
        'required', argument.input_position <= p.pronargs - p.pronargdefaults) order by argument.input_position)
      from (
        select
          coalesce(p.proargnames[position], '') as name, type,
          row_number() over (order by position) as input_position
        from unnest(coalesce(p.proallargtypes, p.proargtypes::oid[]), p.proargmodes)
          with ordinality as a(type, mode, position)
        where coalesce(mode, 'i') in ('i', 'b', 'v')
      ) as argument
    ), '[]')
  ) as signature
  from pg_catalog.pg_proc p
  join pg_catalog.pg_type t on t.oid = p.prorettype
  where p.pronamespace = 'public'::regnamespace and p.proname = $1 and p.prokind = 'f'`;

/**
 * Writes the statement that calls a function by named arguments.
 *
 * @param signatures - all functions of this name
 * @param args - undefined ones are left to the function's defaults
 * @throws {RpcError} `PGRST202`, as PostgREST does, when no function has this name and these arguments
 */
export function writeCall(
  name: string,
  signatures: readonly Signature[],
  args: Record<string, unknown>,
): FunctionCall {
  const given = Object.keys(args).filter((key) => args[key] !== undefined);
  const signature = signatures.find((candidate) => accepts(candidate, given));
  if (!signature) throw notFound(name, given);
  const types = new Map(signature.arguments.map((argument) => [argument.name, argument.type]));
  const list = given.map((key, index) => `${quote(key)} => $${index + 1}::${types.get(key) ?? 'text'}`);
  return {
    text: bodyOf(signature.returns, `public.${quote(name)}(${list.join(', ')})`),
    values: given.map((key) => toText(args[key], types.get(key))),
    returns: signature.returns,
  };
}

function accepts(signature: Signature, given: readonly string[]): boolean {
  const known = given.every((key) => signature.arguments.some(({ name }) => name === key));
  return known && signature.arguments.every(({ name, required }) => !required || given.includes(name));
}

function bodyOf(returns: Returns, call: string): string {
  switch (returns) {
    case 'void':
      return `select null::text as body from (select ${call}) as done`;
    case 'scalar':
      return `select to_json(${call})::text as body`;
    case 'scalars':
      return `select coalesce(json_agg(value), '[]')::text as body from ${call} as value`;
    case 'row':
      return `select row_to_json(answer)::text as body from ${call} as answer`;
    case 'rows':
      return `select coalesce(json_agg(answer), '[]')::text as body from ${call} as answer`;
  }
}

/** Values travel as text and are read by the argument type's own input, as when PostgREST reads a JSON document. */
function toText(value: unknown, type: string | undefined): string | null {
  if (value === null) return null;
  if (type === 'json' || type === 'jsonb' || typeof value !== 'string') return toPlain(value, type);
  return value;
}

function toPlain(value: unknown, type: string | undefined): string {
  const json = JSON.stringify(value);
  const bare = type !== 'json' && type !== 'jsonb' && json.startsWith('"');
  return bare ? (JSON.parse(json) as string) : json;
}

function quote(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}

function notFound(name: string, given: readonly string[]): RpcError {
  const call =
    given.length > 0 ? `public.${name}(${given.toSorted().join(', ')})` : `public.${name} without parameters`;
  const searched =
    given.length > 0
      ? `public.${name} with parameters ${given.toSorted().join(', ')} or with a single unnamed json/jsonb parameter`
      : `public.${name} without parameters or with a single unnamed json/jsonb parameter`;
  return new RpcError(name, {
    code: 'PGRST202',
    message: `Could not find the function ${call} in the schema cache`,
    details: `Searched for the function ${searched}, but no matches were found in the schema cache.`,
  });
}
