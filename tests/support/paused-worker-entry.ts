import { z } from 'zod';
import type { UncheckedRpc } from '../../src/database/rpc.ts';
import { defineJob, type JobDefinition } from '../../src/jobs/define-job.ts';
import { silentLogger } from './silent-logger.ts';
import { startTestWorker } from './worker.ts';

/**
 * A worker that a test stops with SIGSTOP: `paused-worker-entry.ts <database URL>`. Its job says when it is about to
 * write, waits for a word, writes without a look at its signal, says what came of that, and returns.
 */
const go = new Promise((resolve) => process.once('message', resolve));

const writes = defineJob({
  type: 'test/paused',
  lane: 'worker',
  payload: z.unknown(),
  async run(ctx) {
    process.send?.('about to write');
    await go;
    const call = ctx.rpc as UncheckedRpc;
    const wrote = await call('write_late').then(
      () => 'written',
      (error: unknown) => (error as Error).name,
    );
    process.send?.(wrote);
    return 'returned late';
  },
});

const worker = await startTestWorker({ url: process.argv[2] ?? '' }, [writes] as JobDefinition[], {
  log: silentLogger,
  leaseSeconds: 1,
});
process.on('message', (word) => {
  if (word === 'stop') void worker.stop().then(() => process.exit());
});
