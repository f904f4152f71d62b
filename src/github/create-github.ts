import { withCustomRequest } from '@octokit/graphql';
import { Octokit } from '@octokit/rest';
import type { Logger } from '../runtime/logger.ts';
import type { GitHub } from './github.ts';
import type { QuotaLedger } from '../quotas/quota-ledger.ts';
import { wrapRequests } from './request-hook.ts';

export interface GitHubOptions {
  /** Personal access or installation token. Default: none, so requests are anonymous (60 an hour, REST only). */
  token?: string;
  /** Name of the variable that holds the token, for error messages. */
  tokenName: string;
  /** Default: https://api.github.com. For GitHub Enterprise Server: https://<host>/api/v3. */
  baseUrl?: string;
  /** Default: the runtime's. */
  fetch?: typeof fetch;
  log: Logger;
  /** Default: none, every request is sent whatever is left. */
  quotas?: QuotaLedger;
  /** Clock from which `retry-after` counts. Default: the system's. */
  now?: () => Date;
  /** One request, body included, may take this long, in milliseconds. Default: 30,000. */
  requestTimeoutMs?: number;
}

/** GitHub over the official clients. Throttling is left to the queue: a rate limit ends in a snooze, not in a wait. */
export function createGitHub(options: GitHubOptions): GitHub {
  const { token, tokenName, quotas = null } = options;
  const tokenAdvice =
    token === undefined
      ? 'No token is configured, and GitHub asks for one.'
      : `The token in ${tokenName} is wrong, expired or revoked.`;
  return build(options, { token, tokenAdvice, quotas }, null);
}

/** As whom GitHub is asked. */
interface Identity {
  token: string | undefined;
  /** For when GitHub refuses the token. */
  tokenAdvice: string;
  quotas: QuotaLedger | null;
}

function build(options: GitHubOptions, identity: Identity, signal: AbortSignal | null): GitHub {
  const { log } = options;
  const warn = (message: string): void => log.warn({}, message);
  const say = (message: string): void => log.debug({}, message);
  const octokit = new Octokit({
    auth: identity.token,
    userAgent: 'hybrid-jobs',
    baseUrl: options.baseUrl?.replace(/\/+$/, ''),
    request: { fetch: options.fetch, log: { warn } },
    // Octokit logs a failed request as an error; here the job's outcome decides how bad it is.
    log: { debug: () => undefined, info: say, warn, error: say },
  });
  const counter = wrapRequests(octokit, {
    signal,
    tokenAdvice: identity.tokenAdvice,
    quotas: identity.quotas,
    now: options.now ?? (() => new Date()),
    timeoutMs: options.requestTimeoutMs ?? 30_000,
  });
  const graphql = withCustomRequest(octokit.request);
  return {
    rest: octokit.rest,
    paginate: octokit.paginate,
    graphql: (query, variables, own) => graphql(query, { ...variables, request: { signal: own?.signal } }),
    get requestCount() {
      return counter.requests;
    },
    withSignal: (other) => build(options, identity, other),
    // Its quota is its user's, and no other job waits for it: nobody else has to know what is left.
    withToken: (token, tokenAdvice) => build(options, { token, tokenAdvice, quotas: null }, signal),
  };
}
