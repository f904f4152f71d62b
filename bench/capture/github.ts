import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Rpc } from '../../src/database/rpc.ts';
import { createGitHub } from '../../src/github/create-github.ts';
import type { GitHub } from '../../src/github/github.ts';
import { createQuotaLedger, fingerprint } from '../../src/quotas/quota-ledger.ts';
import type { GitHubStandInOptions } from '../../src/local/github/stand-in.ts';
import type { Logger } from '../../src/runtime/logger.ts';

const entry = fileURLToPath(new URL('./stand-in-process.ts', import.meta.url));

export interface MeasuredGitHub {
  /** GitHub as a process has it for all its jobs, with the quotas shared through the database. */
  client: (log: Logger) => GitHub;
  /** Requests, and milliseconds from sending to the last byte of the answer, since the last call. */
  take(): { requests: number; milliseconds: number };
  close(): Promise<void>;
}

/** Starts a stand-in, and counts and times what is asked of it. */
export async function startGitHub(
  options: GitHubStandInOptions,
  { rpc, log }: { rpc: Rpc; log: Logger },
): Promise<MeasuredGitHub> {
  const child = fork(entry, [JSON.stringify(options)]);
  const [baseUrl] = (await once(child, 'message')) as [string];
  const token = 'ghp_bench';
  const quotas = createQuotaLedger({ rpc, token: fingerprint(token), log, now: () => new Date() });
  const timed = createTimedFetch();
  return {
    client: (jobLog) =>
      createGitHub({ token, tokenName: 'GITHUB_TOKEN', baseUrl, fetch: timed.fetch, quotas, log: jobLog }),
    take: timed.take,
    close: async () => {
      await quotas.write();
      child.disconnect();
    },
  };
}

function createTimedFetch(): { fetch: typeof fetch; take: MeasuredGitHub['take'] } {
  let spent = { requests: 0, milliseconds: 0 };
  return {
    async fetch(input, init) {
      const start = performance.now();
      const answer = await fetch(input, init);
      // Read to its end here: GitHub's time ends with the last byte, making sense of it is ours.
      const body = await answer.arrayBuffer();
      spent.requests += 1;
      spent.milliseconds += performance.now() - start;
      return new Response(body, { status: answer.status, headers: answer.headers });
    },
    take() {
      const taken = spent;
      spent = { requests: 0, milliseconds: 0 };
      return taken;
    },
  };
}
