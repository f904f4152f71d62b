/** The always-on process as `npm run worker` starts it, with the matrix's job kinds. */
import { surviveStrayErrors } from '../../src/cli/command/stray-errors.ts';
import { createWake } from '../../src/router/wake.ts';
import { createOutsideHttp } from '../../src/runtime/outside-http.ts';
import { createNodeLogger } from '../../src/runtime/node-logger.ts';
import { parseWorkerConfig } from '../../src/runtime/config.ts';
import { createOpenAi } from '../../src/openai/create-openai.ts';
import { createSharedGitHub } from '../../src/github/shared-github.ts';
import { startWorker } from '../../src/worker/worker.ts';
import { chaosCatalog } from '../jobs/catalog.ts';
import { createMortal } from '../points/mortal.ts';
import { makeQueriesMortal } from '../points/query-points.ts';

const { env } = process;
surviveStrayErrors(process, console.error);
const controller = env['CHAOS_CONTROLLER'] ?? '';
makeQueriesMortal(createMortal({ controller, role: 'worker', pid: process.pid, fetch }));
const config = parseWorkerConfig(env);
const log = createNodeLogger({ level: config.logLevel });
await startWorker({
  ...config,
  worker: `worker ${process.pid} ${crypto.randomUUID().slice(0, 8)}`,
  lanes: ['worker'],
  catalog: chaosCatalog,
  http: createOutsideHttp(),
  github: (rpc, log) => createSharedGitHub({ ...config.github, rpc, log }),
  openai: (rpc, log) => createOpenAi({ ...config.openai, rpc, log }),
  ...(config.processJob ? { wake: createWake({ ...config.processJob, fetch, log }) } : {}),
  log,
  now: () => new Date(),
});
process.send?.([]);
process.on('disconnect', () => process.exit());
