import { type Rpc, RpcError } from '../database/rpc.ts';
import type { Logger } from '../runtime/logger.ts';
import { RefusedRequestError } from './start-request.ts';

/** What the database, and the gateway before it, say of a bad, expired or missing access token. */
const unauthorized = ['PT401', '42501', 'HTTP401', 'HTTP403', 'PGRST301', 'PGRST302', 'PGRST303'];
/** The gateway's own words, which it has for a bad key of ours too. */
const ofTheGateway = ['HTTP401', 'HTTP403'];

/**
 * `rpc`, which calls with a user's access token, refusing the request (401) where the database refuses the token. Only
 * these calls may: our own key is none of the user's business.
 */
export function refuseBadToken(rpc: Rpc, log: Logger): Rpc {
  return async <Result>(...call: Parameters<Rpc>): Promise<Result> => {
    try {
      return await rpc<Result>(...call);
    } catch (error) {
      if (!(error instanceof RpcError) || !unauthorized.includes(error.code)) throw error;
      if (ofTheGateway.includes(error.code))
        log.error({ err: error }, 'the gateway refused a user’s access token, or our own key beside it');
      throw new RefusedRequestError(
        401,
        'Authorization: expected the access token of a signed-in user, which has not expired',
        { cause: error },
      );
    }
  };
}
