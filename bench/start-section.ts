import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const entry = fileURLToPath(new URL('./section-process.ts', import.meta.url));

/**
 * Measures a section in a process of its own: neither what an earlier one has left in memory nor workers of one that
 * failed are in the figures.
 * @returns whether its result was written
 */
export async function startSection(name: string, quick: boolean): Promise<boolean> {
  const child = fork(entry, [name, ...(quick ? ['--quick'] : [])], { stdio: 'inherit' });
  const stop = (signal: NodeJS.Signals): void => {
    child.kill(signal);
    process.exit(1);
  };
  // Ctrl-C reaches both, a signal to this process alone does not reach the child.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  const [code] = (await once(child, 'exit')) as [number | null];
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop);
  return code === 0;
}
