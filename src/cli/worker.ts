import { runCommand } from './command/run-command.ts';
import { surviveStrayErrors } from './command/stray-errors.ts';
import { worker } from './command/worker-command.ts';

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

surviveStrayErrors(process, console.error);
process.exit(
  await runCommand(() => worker({ args: process.argv.slice(2), env: process.env, stopRequested })),
);
