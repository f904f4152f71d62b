import { runCommand } from './command/run-command.ts';
import { sql } from './command/sql-command.ts';

process.exitCode = await runCommand(() => sql({ args: process.argv.slice(2), env: process.env }));
