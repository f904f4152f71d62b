import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';

export interface CliEnd {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs the Supabase CLI of this repository. */
export type SupabaseCli = (args: readonly string[], env?: Record<string, string>) => Promise<CliEnd>;

/**
 * The CLI with a home of its own, so that it finds no account, tells nobody and asks nothing.
 * @param options.home - an empty folder
 */
export function createSupabaseCli(options: { root: string; home: string; path: string }): SupabaseCli {
  const { root, home, path } = options;
  const script = join(createRequire(import.meta.url).resolve('supabase/package.json'), '../dist/supabase.js');
  const quiet = {
    SUPABASE_TELEMETRY_DISABLED: '1',
    DO_NOT_TRACK: '1',
    SUPABASE_NO_UPDATE_NOTIFIER: '1',
    SUPABASE_NO_KEYRING: '1',
  };
  return async (args, env = {}) =>
    await new Promise((resolve) => {
      execFile(
        process.execPath,
        [script, ...args, '--workdir', root, '--yes', '--agent', 'no'],
        {
          env: { PATH: path, HOME: home, SUPABASE_HOME: home, ...quiet, ...env },
          maxBuffer: 64 * 1024 * 1024,
        },
        (error, stdout, stderr) => resolve({ code: error ? codeOf(error) : 0, stdout, stderr }),
      );
    });
}

/** A process that was killed has none. */
function codeOf({ code }: { code?: number | string | null }): number {
  return typeof code === 'number' ? code : 1;
}

/** The last lines of what it said, for people. */
export function lastWords({ stdout, stderr }: CliEnd): string {
  return `${stdout}\n${stderr}`
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('Try rerunning'))
    .slice(-3)
    .join(' ');
}
