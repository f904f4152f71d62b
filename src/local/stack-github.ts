import type { EnvRecord } from '../runtime/config-reader.ts';
import type { Logger } from '../runtime/logger.ts';
import { startGitHubStandIn } from './github/stand-in.ts';
import type { StackPart } from './stack-state.ts';

export interface StackGitHub {
  part: StackPart;
  /** For who asks GitHub. */
  env: Record<string, string>;
  stop(): Promise<void>;
}

/** The GitHub that the environment names by a token or a URL, else the stand-in. */
export async function openGitHub(env: EnvRecord, log: Logger): Promise<StackGitHub> {
  if (env['GITHUB_TOKEN'] || env['VITE_GITHUB_TOKEN'] || env['GITHUB_API_URL']) {
    const where = env['GITHUB_API_URL'] || 'https://api.github.com';
    const part = { name: 'GitHub', where, note: 'yours, from the environment' };
    return { part, env: {}, stop: () => Promise.resolve() };
  }
  const standIn = await startGitHubStandIn({ port: 54330, log });
  const note = 'no GITHUB_TOKEN: made-up repositories, e.g. octo-org/hello-hybrid';
  const part = { name: 'GitHub stand-in', where: standIn.url, note };
  return { part, env: { GITHUB_API_URL: standIn.url }, stop: () => standIn.close() };
}
