import { neededSchema } from './needed-schema.ts';
import { RpcError, SchemaOutdatedError, type UncheckedRpc } from './rpc.ts';

/** The function is not there, or not with these arguments; or something that it uses is not. */
const missing = /^(PGRST202|42883|42P01|42703)$/;

/**
 * Asks the database which migrations it has, before anything else is asked of it.
 * @throws {SchemaOutdatedError} it lacks some that this code was made with; it may have more
 */
export async function requireSchema(rpc: UncheckedRpc): Promise<void> {
  const problem = await schemaProblem(rpc);
  if (problem !== null)
    throw new SchemaOutdatedError('get_schema_version', { code: 'PGRST202', message: problem });
}

/**
 * The same calls; where one fails because something is not there, it is looked up whether a migration is missing, which
 * the error then says. For hosts whose every start would be too dear a moment to ask.
 */
export function explainMissing(rpc: UncheckedRpc): UncheckedRpc {
  return async <Result>(...call: Parameters<UncheckedRpc>): Promise<Result> => {
    try {
      return await rpc<Result>(...call);
    } catch (error) {
      if (!isMissing(error)) throw error;
      const problem = await schemaProblem(rpc).catch(() => null);
      if (problem === null) throw error;
      const { functionName, code } = error;
      throw new SchemaOutdatedError(functionName, { code, message: problem }, { cause: error });
    }
  };
}

/** @returns null when all is well, and where nobody recorded which migrations were applied */
async function schemaProblem(rpc: UncheckedRpc): Promise<string | null> {
  try {
    const version = await rpc<string | null>('get_schema_version', { up_to: neededSchema });
    return version === null || version === neededSchema ? null : outdated(`is at ${version}`);
  } catch (error) {
    if (isMissing(error)) return outdated('is older');
    throw error;
  }
}

function outdated(state: string): string {
  return `the database's schema ${state}, this code needs ${neededSchema}: apply supabase/migrations first`;
}

function isMissing(error: unknown): error is RpcError {
  return error instanceof RpcError && missing.test(error.code);
}
