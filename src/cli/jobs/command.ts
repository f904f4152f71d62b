import type { ParseArgsConfig } from 'node:util';
import type { JobsHost } from './jobs-host.ts';

/** One command of `npm run jobs`. */
export interface Command {
  /** For the list of commands: what it does, in a few words. */
  summary: string;
  /** Its flags. */
  options: NonNullable<ParseArgsConfig['options']>;
  /** What may follow its name, as far as a shell can complete it: words, or the types of the catalog. */
  operands?: readonly string[] | 'types';
  /** @returns the exit code */
  run(host: JobsHost): Promise<number>;
}

export type Commands = Readonly<Record<string, Command>>;
