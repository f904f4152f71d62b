import type pg from 'pg';
import { toJson } from './json.ts';
import { readSignatures, type Returns, type Signature } from './signature.ts';

/** A statement whose single row has a single column `body`: the JSON text that PostgREST would answer, or null. */
export interface FunctionCall {
  text: string;
  values: (string | null | unknown[])[];
  returns: Returns;
}

/** No function of this name takes these arguments; worded as PostgREST words it. */
export class UnknownFunctionError extends Error {
  override readonly name = 'UnknownFunctionError';
  readonly code = 'PGRST202';
  readonly details: string;

  constructor(functionName: string, given: readonly string[]) {
    const names = given.toSorted().join(', ');
    const call = names ? `${functionName}(${names})` : `${functionName} without parameters`;
    const searched = names ? `${functionName} with parameters ${names}` : call;
    super(`Could not find the function public.${call} in the schema cache`);
    this.details = `Searched for the function public.${searched}, but no matches were found in the schema cache.`;
  }
}

export interface FunctionCalls {
  /**
   * Writes a call by named arguments; undefined ones are left to the function's defaults. The first call of a name
   * reads its signature over `client`, later ones do not.
   *
   * @throws {UnknownFunctionError}
   */
  write(client: pg.ClientBase, name: string, args: Record<string, unknown>): Promise<FunctionCall>;
  /** The function was not found where its signature says: read it again at the next call. */
  forget(name: string): void;
}

export function createFunctionCalls(): FunctionCalls {
  const known = new Map<string, Signature[]>();
  return {
    async write(client, name, args) {
      const signatures = known.get(name) ?? (await readSignatures(client, name));
      if (signatures.length > 0) known.set(name, signatures);
      return writeCall(name, signatures, args);
    },
    forget: (name) => void known.delete(name),
  };
}

function writeCall(
  name: string,
  signatures: readonly Signature[],
  args: Record<string, unknown>,
): FunctionCall {
  const given = Object.keys(args).filter((key) => args[key] !== undefined);
  const signature = signatures.find((candidate) => accepts(candidate, given));
  if (!signature) throw new UnknownFunctionError(name, given);
  const typeOf = (key: string) =>
    signature.arguments.find((argument) => argument.name === key)?.type ?? 'text';
  const list = given.map((key, index) => `${quote(key)} => $${index + 1}::${typeOf(key)}`);
  return {
    text: selectBody(signature.returns, `public.${quote(name)}(${list.join(', ')})`),
    values: given.map((key) => toParameter(args[key], typeOf(key))),
    returns: signature.returns,
  };
}

function accepts(signature: Signature, given: readonly string[]): boolean {
  const known = given.every((key) => signature.arguments.some(({ name }) => name === key));
  return known && signature.arguments.every(({ name, required }) => !required || given.includes(name));
}

function selectBody(returns: Returns, call: string): string {
  switch (returns) {
    case 'void':
      return `select null::text as body from (select ${call}) as done`;
    case 'scalar':
      return `select to_json(${call})::text as body`;
    case 'scalars':
      return `select coalesce(json_agg(value), '[]')::text as body from ${call} as called(value)`;
    case 'row':
      return `select row_to_json(answer)::text as body from (select * from ${call}) as answer`;
    case 'rows':
      return `select coalesce(json_agg(answer), '[]')::text as body from (select * from ${call}) as answer`;
  }
}

/** Values travel as text and are read by the argument type's own input, as when PostgREST reads a JSON document. */
function toParameter(value: unknown, type: string): string | null | unknown[] {
  if (value === null) return null;
  // pg writes it as an array of Postgres.
  if (Array.isArray(value) && type.endsWith('[]')) return toElements(value);
  const json = toJson(value);
  if (type === 'json' || type === 'jsonb') return json;
  return json.startsWith('"') ? (JSON.parse(json) as string) : json;
}

/** Texts are what JSON would make of them: the ids of a thousand jobs are not written out and read again. */
function toElements(array: unknown[]): unknown[] {
  return array.every((one) => typeof one === 'string') ? array : (JSON.parse(toJson(array)) as unknown[]);
}

function quote(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}
