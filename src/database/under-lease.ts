import { LeaseLostError, RpcError, type UncheckedRpc } from './rpc.ts';

/** What `call_under_lease` answers. */
interface AnswerUnderLease {
  held: boolean;
  answer?: unknown;
}

/** Gives a driver the option `lease`: such a call travels as an argument of `call_under_lease`, which looks at the lease. */
export function underLease(call: UncheckedRpc): UncheckedRpc {
  return async <Result>(
    ...[name, args = {}, { lease, ...options } = {}]: Parameters<UncheckedRpc>
  ): Promise<Result> => {
    if (!lease) return await call<Result>(name, args, options);
    const under = { job_id: lease.jobId, lease_token: lease.leaseToken, name, args };
    try {
      const { held, answer } = await call<AnswerUnderLease>('call_under_lease', under, options);
      if (held) return answer as Result;
    } catch (error) {
      throw error instanceof RpcError ? refusalOf(name, error) : error;
    }
    throw new LeaseLostError(`${name}: the lease on job ${lease.jobId} is lost, nothing was changed`);
  };
}

/** The refusal, by the name of the function that the caller knows. */
function refusalOf(name: string, error: RpcError): RpcError {
  const { functionName, cause } = error;
  const message = error.message.slice(`${functionName}: `.length);
  return new RpcError(name, { ...error, message }, { cause });
}
