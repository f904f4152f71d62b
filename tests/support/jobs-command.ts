import { jobs } from '../../src/cli/jobs/jobs-command.ts';

export interface JobsCommandOptions {
  env?: Record<string, string>;
  fetch?: typeof fetch;
  /** Default: the real clock. */
  now?: Date;
  /** Called with each text that it prints. */
  onPrint?: (text: string) => void;
  /** The user's Ctrl-C. */
  stop?: AbortSignal;
}

/** Runs `npm run jobs -- <args>` in this process, where no stack runs. */
export async function runJobs(
  args: readonly string[],
  options: JobsCommandOptions = {},
): Promise<{ code: number; output: string }> {
  const printed: string[] = [];
  const code = await jobs({
    args: [...args, ...(hasDataDir(args) ? ['--data-dir', '/nonexistent'] : [])],
    env: options.env ?? {},
    fetch: options.fetch ?? fetch,
    now: () => options.now ?? new Date(),
    print: (text) => {
      printed.push(text);
      options.onPrint?.(text);
    },
    stopSignal: () => options.stop ?? new AbortController().signal,
  });
  return { code, output: printed.join('\n') };
}

const hasDataDir = ([command = '']: readonly string[]): boolean => !['new', 'completion'].includes(command);
