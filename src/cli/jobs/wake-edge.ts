import { createWake } from '../../router/wake.ts';
import { ConfigError, type EnvRecord } from '../../runtime/config-reader.ts';
import { parseHybridConfig } from '../../runtime/config.ts';
import { createNodeLogger } from '../../runtime/node-logger.ts';

/**
 * Tells `process-job` that there is work, where the environment says how to reach it.
 * @returns for people: what came of it
 */
export async function wakeEdge(env: EnvRecord, fetcher: typeof fetch): Promise<string> {
  const target = processJobOf(env);
  if (!target) return 'The next sweep starts it.';
  const log = createNodeLogger({ level: 'silent' });
  const woken = await createWake({ ...target, fetch: fetcher, log })();
  return woken.woken ? 'process-job is woken.' : `${woken.reason}: the next sweep starts it.`;
}

function processJobOf(env: EnvRecord): { url: string; key: string } | null {
  try {
    return parseHybridConfig(env).processJob;
  } catch (error) {
    if (error instanceof ConfigError) return null;
    throw error;
  }
}
