import { createSupabaseClientRpc } from '../database/supabase-rpc.ts';
import type { JobDefinition } from '../jobs/define-job.ts';
import { createOpenAi } from '../openai/create-openai.ts';
import { createJobQueue } from '../queue/job-queue.ts';
import { createWake } from '../router/wake.ts';
import type { EnvRecord } from '../runtime/config-reader.ts';
import { parseProcessJobConfig } from '../runtime/config.ts';
import { createEdgeLogger } from '../runtime/edge-logger.ts';
import { createOutsideHttp } from '../runtime/outside-http.ts';
import { createSecretBox } from '../secrets/secret-box.ts';
import { createProcessJobHandler, type ProcessJob } from './handler.ts';

/** What an entry point knows and this module does not. */
export interface EdgeHost {
  env: EnvRecord;
  /** Called when the first jobs are claimed, and again only after a failure. */
  loadCatalog(): Promise<readonly JobDefinition[]>;
  /** When the host started the isolate. */
  startedAt: Date;
  /** Keeps the isolate alive until the promise is settled. */
  waitUntil(promise: Promise<unknown>): void;
}

/**
 * `process-job` as an edge host runs it: supabase-js to the database, the console as log. What only a running job needs is
 * loaded after the first claim.
 * @throws {ConfigError} names every missing or malformed variable
 */
export function createEdgeProcessJob(host: EdgeHost): ProcessJob {
  const config = parseProcessJobConfig(host.env);
  const worker = `process-job ${crypto.randomUUID().slice(0, 8)}`;
  const log = createEdgeLogger({ level: config.logLevel }).child({ worker });
  for (const warning of config.warnings) log.warn({}, warning);
  const rpc = createSupabaseClientRpc({ url: config.supabase.url, key: config.supabase.secretKey });
  return createProcessJobHandler({
    acceptedKeys: config.acceptedKeys,
    queue: createJobQueue(rpc),
    rpc,
    http: createOutsideHttp(),
    inngestEvents: config.inngestEvents,
    async loadJobs() {
      const [catalog, { createSharedGitHub }] = await Promise.all([
        host.loadCatalog(),
        import('../github/shared-github.ts'),
      ]);
      return { catalog, github: createSharedGitHub({ ...config.github, rpc, log }) };
    },
    openai: createOpenAi({ ...config.openai, rpc, log }),
    secrets: createSecretBox(config.encryptionKeys),
    log,
    now: () => new Date(),
    worker,
    concurrency: config.concurrency,
    leaseSeconds: config.leaseSeconds,
    startedAt: host.startedAt,
    wallSeconds: config.wallSeconds,
    waitUntil: (promise) => host.waitUntil(promise),
    wake: createWake({ ...config.processJob, fetch, log }),
  });
}
