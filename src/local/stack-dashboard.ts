import type { Hono } from 'hono';
import type { EnvRecord } from '../runtime/config-reader.ts';
import type { Logger } from '../runtime/logger.ts';
import { createDashboardBuild } from './dashboard-build.ts';
import { createDashboardSite } from './dashboard-site.ts';
import type { OperatorSessions } from './operator-sessions.ts';
import type { StackPart } from './stack-state.ts';

export interface StackDashboard {
  site: Hono;
  /** @param siteUrl - where `site` is served */
  part(siteUrl: string): StackPart;
  /** A link that signs a browser in, once; null where users have accounts. */
  signInUrl(siteUrl: string): string | null;
  stop(): Promise<void>;
}

/**
 * The dashboard of the stack.
 *
 * @param env - the stack's environment
 * @param sessions - of the local operator; undefined where Supabase is somebody's own, with accounts
 */
export function openDashboard(
  root: string,
  env: EnvRecord,
  sessions: OperatorSessions | undefined,
  log: Logger,
): StackDashboard {
  const build = createDashboardBuild(root, log);
  const publishableKey = env['SUPABASE_PUBLISHABLE_KEY'] || null;
  const site = createDashboardSite(() => build.folder(), {
    supabaseUrl: env['SUPABASE_URL'] ?? '',
    publishableKey,
    local: sessions !== undefined,
    inngestUrl: /^https?:/.test(env['INNGEST_DEV'] ?? '') ? (env['INNGEST_DEV'] ?? null) : null,
    githubUrl: 'https://github.com',
  });
  const note = sessions
    ? 'sign in by the link below'
    : publishableKey === null
      ? 'needs SUPABASE_PUBLISHABLE_KEY'
      : 'for users with app_metadata.role job_operator';
  return {
    site,
    part: (siteUrl) => ({ name: 'Dashboard', where: `${siteUrl}/dashboard/`, note }),
    signInUrl: (siteUrl) =>
      sessions ? `${siteUrl}/dashboard/#token_hash=${sessions.issueCode()}&type=magiclink` : null,
    stop: () => build.stop(),
  };
}
