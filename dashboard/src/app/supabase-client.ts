import { AuthClient } from '@supabase/supabase-js';
import type { JobMonitorClient, RpcAnswer } from '../data/client.ts';
import type { DashboardConfig } from './dashboard-config.ts';

export interface DashboardClient extends JobMonitorClient {
  auth: InstanceType<typeof AuthClient>;
}

/**
 * Supabase as the standalone dashboard needs it: Auth, and function calls as the signed-in user. The whole
 * supabase-js client works as well, yet realtime and storage would add 33 kB (gzip) to the first load.
 */
export function createDashboardClient({ supabaseUrl, publishableKey }: DashboardConfig): DashboardClient {
  const auth = new AuthClient({
    url: `${supabaseUrl}/auth/v1`,
    headers: { apikey: publishableKey },
    storageKey: `hybrid-jobs-${new URL(supabaseUrl).host}`,
    flowType: 'implicit',
    detectSessionInUrl: true,
  });
  return {
    auth,
    rpc: async (name, args = {}) => {
      const { data } = await auth.getSession();
      const headers = {
        apikey: publishableKey,
        authorization: `Bearer ${data.session?.access_token ?? publishableKey}`,
        'content-type': 'application/json',
      };
      const body = JSON.stringify(args);
      return await call(`${supabaseUrl}/rest/v1/rpc/${name}`, { method: 'POST', headers, body });
    },
  };
}

async function call(url: string, request: RequestInit): Promise<RpcAnswer> {
  try {
    const response = await fetch(url, request);
    const text = await response.text();
    const answer: unknown = text === '' ? null : JSON.parse(text);
    if (response.ok) return { data: answer, error: null, status: response.status };
    return { data: null, error: refusal(answer, response.status), status: response.status };
  } catch (error) {
    return { data: null, error: { message: String(error) }, status: 0 };
  }
}

function refusal(answer: unknown, status: number): NonNullable<RpcAnswer['error']> {
  const said = answer as { message?: string; code?: string; hint?: string | null } | null;
  return { ...said, message: said?.message ?? `The database answered with HTTP ${status}.` };
}
