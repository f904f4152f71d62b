import { createOpenAi } from '../../src/openai/create-openai.ts';
import type { OpenAi } from '../../src/openai/openai.ts';
import { silentLogger } from './silent-logger.ts';

/** OpenAI for who has no key: it refuses every request, and says why. */
export const noOpenAi: OpenAi = createOpenAi({
  apiKey: undefined,
  rpc: () => Promise.reject(new Error('nothing is to be reported')),
  log: silentLogger,
});
