import type { RpcAnswer } from './client.ts';

/** A call that the database refused or that never reached it. */
export class OperatorError extends Error {
  override readonly name = 'OperatorError';
  /** HTTP status; 0 when nobody answered. */
  readonly status: number;
  readonly hint: string | undefined;

  constructor(message: string, status: number, hint?: string) {
    super(message);
    this.status = status;
    this.hint = hint;
  }
}

/** @throws {OperatorError} the call failed; its message can be shown to the operator as it is */
export function answerOf<Data>(name: string, { data, error, status }: RpcAnswer): Data {
  if (!error) return data as Data;
  if (status === 0)
    throw new OperatorError(
      'The database does not answer.',
      0,
      'Check the connection; the page asks again by itself.',
    );
  if (error.code === 'PGRST202')
    throw new OperatorError(
      `The database has no function ${name}.`,
      status,
      'Apply the migrations of this version: supabase db push.',
    );
  throw new OperatorError(error.message, status, error.hint ?? undefined);
}
