import { runCommand } from './command/run-command.ts';
import { send } from './command/send-command.ts';

const { argv, env } = process;

process.exitCode = await runCommand(() =>
  send({ args: argv.slice(2), env, fetch, print: (text) => console.log(text) }),
);
