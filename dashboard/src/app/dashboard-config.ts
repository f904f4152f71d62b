/** Where the standalone dashboard finds its Supabase project. */
export interface DashboardConfig {
  supabaseUrl: string;
  /** `sb_publishable_…`, or the legacy anon key. */
  publishableKey: string;
  /** The local stack, which signs in by a printed link. */
  local: boolean;
  /** As in JobMonitorProps; undefined for its default. */
  inngestRunUrl: string | null | undefined;
}

/** What the file may hold. */
type Given = { [Field in 'supabaseUrl' | 'publishableKey' | 'local' | 'inngestUrl']?: unknown };

/** The configuration is missing, malformed or dangerous. */
class DashboardConfigError extends Error {
  override readonly name = 'DashboardConfigError';
}

/**
 * Reads `config.json` beside the dashboard. The local stack serves one; `vite build` writes one from
 * `VITE_SUPABASE_URL` and `VITE_SUPABASE_PUBLISHABLE_KEY`.
 *
 * @throws {DashboardConfigError} it names the field and what was expected, never the key
 */
export async function readDashboardConfig(fetchFile: typeof fetch, base: string): Promise<DashboardConfig> {
  const response = await fetchFile(`${base}config.json`, { cache: 'no-cache' });
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  if (!response.ok || !isJson)
    throw new DashboardConfigError(
      'The dashboard does not know its Supabase project: expected config.json beside it, or VITE_SUPABASE_URL and VITE_SUPABASE_PUBLISHABLE_KEY when it is built.',
    );
  const file: unknown = await response.json().catch(() => null);
  return checked(typeof file === 'object' && file !== null ? file : {});
}

function checked({ supabaseUrl, publishableKey, local, inngestUrl }: Given): DashboardConfig {
  if (typeof supabaseUrl !== 'string' || !URL.canParse(supabaseUrl))
    throw new DashboardConfigError(
      'config.json: supabaseUrl: expected the URL of the project, such as https://<ref>.supabase.co',
    );
  if (typeof publishableKey !== 'string' || publishableKey === '')
    throw new DashboardConfigError('config.json: publishableKey: expected a key sb_publishable_…');
  if (isSecret(publishableKey))
    throw new DashboardConfigError(
      'config.json: publishableKey: expected a publishable key, got a secret one. Whoever loads this page can read it: revoke it, then put sb_publishable_… there.',
    );
  const isLocal = local === true;
  return {
    supabaseUrl: supabaseUrl.replace(/\/+$/, ''),
    publishableKey,
    local: isLocal,
    inngestRunUrl: inngestRunUrl(inngestUrl, isLocal),
  };
}

/** The Dev Server shows a run elsewhere than Inngest Cloud does; locally there may be no Inngest at all. */
function inngestRunUrl(inngestUrl: unknown, isLocal: boolean): string | null | undefined {
  if (typeof inngestUrl === 'string') return `${inngestUrl.replace(/\/+$/, '')}/run?runID={run}`;
  return isLocal ? null : undefined;
}

/** Secret keys pass every check in the database, so that a page that holds one gives everything away. */
function isSecret(key: string): boolean {
  return key.startsWith('sb_secret_') || legacyRole(key) === 'service_role';
}

function legacyRole(key: string): unknown {
  const [, claims] = key.split('.');
  if (!claims) return undefined;
  try {
    const parsed = JSON.parse(atob(claims.replace(/-/g, '+').replace(/_/g, '/'))) as { role?: unknown };
    return parsed.role;
  } catch {
    return undefined;
  }
}
