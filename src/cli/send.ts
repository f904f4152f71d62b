import { runCommand } from './command/run-command.ts';
import { send } from './command/send-command.ts';

process.exitCode = await runCommand(() => send({ args: process.argv.slice(2), env: process.env, fetch }));
