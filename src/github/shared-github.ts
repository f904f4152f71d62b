import type { Rpc } from '../database/rpc.ts';
import type { Logger } from '../runtime/logger.ts';
import { createGitHub, type GitHubOptions } from './create-github.ts';
import type { GitHub } from './github.ts';
import { createQuotaLedger, fingerprint } from '../quotas/quota-ledger.ts';

/**
 * GitHub for all jobs of a process: each has its own client, for its own log, and all share one ledger of the token's
 * quotas, which they also share with other processes.
 */
export function createSharedGitHub(
  options: Omit<GitHubOptions, 'quotas'> & { rpc: Rpc },
): (log: Logger) => GitHub {
  const { rpc, log, now = () => new Date(), ...rest } = options;
  const quotas = createQuotaLedger({ rpc, token: fingerprint(options.token), log, now });
  return (jobLog) => createGitHub({ ...rest, now, quotas, log: jobLog });
}
