import { runCommand } from './command/run-command.ts';
import { deployCheck } from './deploy/deploy-check-command.ts';

const { argv, env } = process;

process.exitCode = await runCommand(() =>
  deployCheck({ args: argv.slice(2), path: env.PATH ?? '', print: (text) => console.log(text) }),
);
