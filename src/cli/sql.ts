import { text } from 'node:stream/consumers';
import { runCommand } from './command/run-command.ts';
import { sql } from './command/sql-command.ts';

const { argv, env, stdin } = process;
const readInput = async () => (stdin.isTTY ? '' : await text(stdin));

process.exitCode = await runCommand(() => sql({ args: argv.slice(2), env, readInput }));
