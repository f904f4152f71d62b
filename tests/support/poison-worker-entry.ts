import { surviveStrayErrors } from '../../src/cli/command/stray-errors.ts';
import { silentLogger } from './silent-logger.ts';
import { poisonCatalog } from './poison-jobs.ts';
import { startTestWorker } from './worker.ts';

/** The always-on process with jobs that do harm: `poison-worker-entry.ts <database URL>`. */
surviveStrayErrors(process, () => undefined);
await startTestWorker({ url: process.argv[2] ?? '' }, poisonCatalog, {
  log: silentLogger,
  leaseSeconds: 4,
  pollMs: 200,
  sweepSeconds: 0.5,
});
process.on('disconnect', () => process.exit());
