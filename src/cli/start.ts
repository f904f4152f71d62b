import { createShutdown } from '../local/shutdown.ts';
import { runCommand } from './command/run-command.ts';
import { start } from './command/start-command.ts';

const shutdown = createShutdown();
let isReady = false;
const stopRequested = new Promise<void>((resolve) => {
  const stop = () => {
    resolve();
    console.log('\nStopping…');
    // To stop a stack that waits for that is what Ctrl-C is for; anything else was interrupted.
    void shutdown.run().then(() => process.exit(isReady ? 0 : 130));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, stop);
});

process.exitCode = await runCommand(() =>
  start({
    args: process.argv.slice(2),
    env: process.env,
    setEnv: (values) => Object.assign(process.env, values),
    shutdown,
    untilStopped: () => {
      isReady = true;
      return stopRequested;
    },
  }),
);
