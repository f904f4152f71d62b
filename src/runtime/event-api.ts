import type { EventApi } from '../jobs/job-context.ts';
import type { InngestConfig } from './inngest-config.ts';

/**
 * Inngest's Event API as the configuration names it: the Dev Server, which takes any key, or Inngest Cloud
 * (https://www.inngest.com/docs/events). Null: outside development there is no event key.
 */
export function toEventApi({ isDev, eventKey, baseUrl, branch }: InngestConfig): EventApi | null {
  const key = eventKey ?? (isDev ? 'dev' : undefined);
  if (key === undefined) return null;
  const base = baseUrl ?? (isDev ? 'http://127.0.0.1:8288' : 'https://inn.gs');
  return {
    url: `${base.replace(/\/+$/, '')}/e/${encodeURIComponent(key)}`,
    headers: branch === undefined ? {} : { 'x-inngest-env': branch },
  };
}
