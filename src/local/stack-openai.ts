import type { EnvRecord } from '../runtime/config-reader.ts';
import type { Logger } from '../runtime/logger.ts';
import { startOpenAiStandIn } from './openai/stand-in.ts';
import type { StackPart } from './stack-state.ts';

export interface StackOpenAi {
  part: StackPart;
  /** For who asks OpenAI. */
  env: Record<string, string>;
  stop(): Promise<void>;
}

/** The OpenAI that the environment names by a key, else the stand-in. */
export async function openOpenAi(env: EnvRecord, log: Logger): Promise<StackOpenAi> {
  if (env['OPENAI_API_KEY']) {
    const where = env['OPENAI_BASE_URL'] || 'https://api.openai.com/v1';
    const part = { name: 'OpenAI', where, note: 'yours, from the environment' };
    return { part, env: {}, stop: () => Promise.resolve() };
  }
  const standIn = await startOpenAiStandIn({ port: 54331, log });
  const note = 'no OPENAI_API_KEY: made-up vectors and answers';
  const part = { name: 'OpenAI stand-in', where: standIn.url, note };
  const own = { OPENAI_API_KEY: 'sk-stand-in', OPENAI_BASE_URL: standIn.url };
  return { part, env: own, stop: () => standIn.close() };
}
