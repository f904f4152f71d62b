import { generateTypesCommand } from './command/generate-types-command.ts';
import { runCommand } from './command/run-command.ts';

process.exitCode = await runCommand(() => generateTypesCommand({ args: process.argv.slice(2) }));
