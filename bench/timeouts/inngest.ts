import { createInngestExecutor, type InngestExecutor } from '../../src/local/inngest-executor.ts';
import { hybridSet } from '../../src/router/function-sets.ts';
import { benchCatalog } from './catalog.ts';
import { type FunctionHost, startFunctionHost } from './function-host.ts';
import { millisecondsPerSecond, netlifyLimitSeconds } from './workload.ts';

const signingKey = 'signkey-prod-0123456789abcdef0123456789abcdef';

/** Processes of `inngest-hybrid`, and Inngest's part in front of them, which signs its requests. */
export interface HybridFront {
  host: FunctionHost;
  inngest: InngestExecutor;
  close(): Promise<void>;
}

/**
 * @param target - where the endpoint finds the database and `process-job`
 * @param onAnswer - told the milliseconds that the endpoint took itself for each request
 */
export async function startHybridFront(
  target: { supabaseUrl: string; secretKey: string },
  processes: number,
  onAnswer: (ms: number) => void = () => {},
): Promise<HybridFront> {
  const host = await startFunctionHost({
    file: './netlify-process.ts',
    processes,
    limitMs: netlifyLimitSeconds * millisecondsPerSecond,
    env: {
      SUPABASE_URL: target.supabaseUrl,
      SUPABASE_SECRET_KEY: target.secretKey,
      INNGEST_SIGNING_KEY: signingKey,
      // Whole seconds: 25 of real life, of the 60 that the host allows.
      INLINE_BUDGET_SECONDS: '1',
      LOG_LEVEL: 'error',
    },
  });
  const inngest = createInngestExecutor({
    url: 'http://inngest-hybrid/api/inngest',
    signingKey,
    functions: benchCatalog.map(({ type, functionId }) => ({
      id: `${hybridSet.appId}-${functionId}`,
      triggers: [{ event: type }],
    })),
    backoffMs: () => 50,
    async fetch(url, init) {
      const { pathname, search } = new URL(url instanceof Request ? url.url : url);
      const answer = await host.call(pathname + search, init ?? {});
      onAnswer(ownMs(answer));
      return answer;
    },
  });
  return { host, inngest, close: () => host.close() };
}

function ownMs(answer: Response): number {
  return Number(/dur=([\d.]+)/.exec(answer.headers.get('server-timing') ?? '')?.[1]);
}
