import { runCommand } from './command/run-command.ts';
import { jobs } from './jobs/jobs-command.ts';

const { argv, env } = process;

/** The second signal ends the process as it would have without this. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  return stop.signal;
}

process.exitCode = await runCommand(() =>
  jobs({
    args: argv.slice(2),
    env,
    fetch,
    now: () => new Date(),
    print: (text) => console.log(text),
    stopSignal,
  }),
);
