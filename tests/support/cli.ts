import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { vi } from 'vitest';
import { root } from './imports.ts';

export interface RunningCommand {
  /** What it printed so far, to both streams. */
  output(): string;
  /** Waits until it printed this; fails when it ended first. */
  printed(text: string): Promise<void>;
  signal(name: NodeJS.Signals): void;
  /** Exit code, or the signal that ended it. */
  ended: Promise<number | NodeJS.Signals>;
}

/** Runs `node src/cli/<command>.ts` with an environment in which nothing is set up, and `input` on its standard input. */
export function runCli(
  command: string,
  args: string[],
  env: Record<string, string> = {},
  input = '',
): RunningCommand {
  return runProgram(process.execPath, [`src/cli/${command}.ts`, ...args], { env, input });
}

/**
 * Runs a program with an environment in which nothing is set up.
 * @param options.cwd default: the repository
 * @param options.isForeground a signal reaches all that it started, too, as Ctrl-C in a terminal does
 */
export function runProgram(
  file: string,
  args: string[],
  options: { cwd?: string; env?: Record<string, string>; input?: string; isForeground?: boolean } = {},
): RunningCommand {
  const { cwd = root, env = {}, input = '', isForeground = false } = options;
  const child = spawn(file, args, {
    cwd,
    detached: isForeground,
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  // A command that ends without reading its input closes the pipe.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  let output = '';
  let hasEnded = false;
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += String(data)));
  const ended = once(child, 'close').then(([code, signal]) => {
    hasEnded = true;
    return (code ?? signal) as number | NodeJS.Signals;
  });
  return {
    output: () => output,
    printed: async (text) => {
      await vi.waitUntil(() => hasEnded || output.includes(text), { timeout: 120_000, interval: 50 });
      if (!output.includes(text)) throw new Error(`expected the command to print "${text}", got\n${output}`);
    },
    signal: (name) => {
      if (isForeground && child.pid !== undefined && !hasEnded) process.kill(-child.pid, name);
      else child.kill(name);
    },
    ended,
  };
}

/** Ids of the processes whose command line or environment names this folder (Linux). */
export function processesOn(folder: string): number[] {
  const pids = readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid);
  return pids.filter((pid) => {
    try {
      return ['cmdline', 'environ'].some((file) =>
        readFileSync(`/proc/${pid}/${file}`, 'utf8').includes(folder),
      );
    } catch {
      // It ended meanwhile, or belongs to somebody else.
      return false;
    }
  });
}
