import { hostname } from 'node:os';
import { createSharedGitHub } from '../../github/shared-github.ts';
import { catalog } from '../../jobs/catalog.ts';
import { createOpenAi } from '../../openai/create-openai.ts';
import { createWake } from '../../router/wake.ts';
import { parseWorkerConfig } from '../../runtime/config.ts';
import type { EnvRecord } from '../../runtime/config-reader.ts';
import { createNodeLogger } from '../../runtime/node-logger.ts';
import { createOutsideHttp } from '../../runtime/outside-http.ts';
import { createSecretBox } from '../../secrets/secret-box.ts';
import { startHealthEndpoint } from '../../worker/health.ts';
import { createLocalEmbedder } from '../../worker/local-embedder.ts';
import { type QueuedLane, startWorker } from '../../worker/worker.ts';
import { readCommandLine, UsageError } from './command-line.ts';
import { dataDirOption, resolveDataDir } from './data-dir.ts';
import { findTarget } from './target.ts';

const help = `Works on the queue until it is told to stop: on that of the running stack, else on that of DATABASE_URL.

  npm run worker
  npm run worker -- --lanes edge,worker      everything that waits, without Supabase's functions
  npm run worker -- --health-port 9090       GET /live and /ready

  --lanes names        worker, edge, or both; default worker
  --concurrency n      jobs at the same time on each lane; default WORKER_CONCURRENCY, else 10
  --health-port n      default: no health endpoint
  --data-dir folder    of the stack; default .local
  --help               this text

A first signal (Ctrl-C, SIGTERM) lets running jobs end, for up to WORKER_DRAIN_SECONDS (25); then they hand off.
Exit codes: 0 stopped in order, 1 could not start, 2 wrong use, 130 a second signal.`;

const options = {
  ...dataDirOption,
  lanes: { type: 'string', default: 'worker' },
  concurrency: { type: 'string' },
  'health-port': { type: 'string' },
} as const;

export interface WorkerHost {
  args: string[];
  env: EnvRecord;
  /** Resolves when the process is told to stop. */
  stopRequested: Promise<void>;
}

/** `npm run worker`: @returns the exit code */
export async function worker(host: WorkerHost): Promise<number> {
  const { values } = readCommandLine(host.args, options, help);
  const lanes = readLanes(values.lanes);
  const port =
    values['health-port'] === undefined ? null : readNumber('--health-port', values['health-port'], 0);
  const { env, databaseUrl } = await findTarget(resolveDataDir(values['data-dir']), host.env);
  const config = parseWorkerConfig({
    ...env,
    ...(databaseUrl === null ? {} : { DATABASE_URL: databaseUrl }),
  });
  const log = createNodeLogger({ level: config.logLevel });
  for (const warning of config.warnings) log.warn({}, warning);
  const now = (): Date => new Date();
  const running = await startWorker({
    ...config,
    ...(values.concurrency === undefined
      ? {}
      : { concurrency: readNumber('--concurrency', values.concurrency, 1) }),
    worker: `${hostname()}:${process.pid}:${crypto.randomUUID().slice(0, 8)}`,
    lanes,
    catalog,
    http: createOutsideHttp(),
    openEmbedder: createLocalEmbedder(config.embeddingModelPath),
    github: (rpc, log) => createSharedGitHub({ ...config.github, rpc, log }),
    openai: (rpc, log) => createOpenAi({ ...config.openai, rpc, log }),
    secrets: createSecretBox(config.encryptionKeys),
    ...(config.processJob ? { wake: createWake({ ...config.processJob, fetch, log }) } : {}),
    log,
    now,
  });
  try {
    const health =
      port === null ? null : await startHealthEndpoint({ port, health: () => running.health(), now });
    console.log(
      `Working on ${lanes.join(' and ')}${health ? `, health at ${health.url}/ready` : ''}. Ctrl-C stops.`,
    );
    await host.stopRequested;
    await running.stop();
    await health?.close();
    return 0;
  } finally {
    // Without its health endpoint it does not stay: what it has claimed meanwhile ends or hands off.
    await running.stop();
  }
}

function readLanes(text: string): QueuedLane[] {
  const lanes = new Set(text.split(',').map((lane) => lane.trim()));
  const isQueued = (lane: string): lane is QueuedLane => lane === 'edge' || lane === 'worker';
  const known = [...lanes].filter(isQueued);
  if (known.length === 0 || known.length < lanes.size)
    throw new UsageError(`--lanes: expected worker, edge or both, got "${text}"\n\n${help}`);
  return known;
}

function readNumber(option: string, text: string, least: number): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < least || number > 65_535)
    throw new UsageError(
      `${option}: expected a whole number from ${least} to 65535, got "${text}"\n\n${help}`,
    );
  return number;
}
