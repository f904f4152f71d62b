import { createShutdown } from '../local/shutdown.ts';
import { runCommand } from './command/run-command.ts';
import { start } from './command/start-command.ts';

const shutdown = createShutdown();
let askedAt = Infinity;

/** npm passes Ctrl-C on to a process that the terminal has told already: only a later one means impatience. */
function onSignal(): void {
  if (Date.now() - askedAt > 1000) process.exit(130);
  if (askedAt !== Infinity) return;
  askedAt = Date.now();
  console.log('\nStopping…');
  shutdown.request();
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);

const exitCode = await runCommand(() =>
  start({
    args: process.argv.slice(2),
    env: process.env,
    setEnv: (values) => Object.assign(process.env, values),
    shutdown,
  }),
);
process.exit(exitCode);
