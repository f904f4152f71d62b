import { runCommand } from './command/run-command.ts';
import { worker } from './command/worker-command.ts';
import { redactTokens } from '../runtime/redact.ts';

const { promise: stopRequested, resolve: requestStop } = Promise.withResolvers<void>();
let askedAt = Infinity;

/** npm passes Ctrl-C on to a process that the terminal has told already: only a later one means impatience. */
function onSignal(): void {
  if (Date.now() - askedAt > 1000) process.exit(130);
  if (askedAt !== Infinity) return;
  askedAt = Date.now();
  console.log('\nStopping…');
  requestStop();
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);

// What a job leaves behind in a forgotten promise or callback must not end the jobs beside it.
for (const event of ['unhandledRejection', 'uncaughtException'] as const)
  process.on(event, (error) => console.error(`${event} in a job:`, redactTokens(String(error))));

process.exit(
  await runCommand(() => worker({ args: process.argv.slice(2), env: process.env, stopRequested })),
);
