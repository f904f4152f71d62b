import { runCommand } from './command/run-command.ts';
import { jobs } from './jobs/jobs-command.ts';

const { argv, env } = process;

process.exitCode = await runCommand(() =>
  jobs({ args: argv.slice(2), env, now: () => new Date(), print: (text) => console.log(text) }),
);
