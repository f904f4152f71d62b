import type { AuthChangeEvent, AuthError, Session } from '@supabase/supabase-js';

/** What PostgREST answers to a function call, as supabase-js hands it over. */
export interface RpcAnswer {
  data: unknown;
  error: { message: string; code?: string; hint?: string | null } | null;
  /** HTTP status; 0 when nobody answered. */
  status: number;
}

interface AuthAnswer {
  error: AuthError | null;
}

/** The part of Supabase Auth that the monitor uses. */
export interface MonitorAuth {
  getSession(): Promise<{ data: { session: Session | null }; error: AuthError | null }>;
  onAuthStateChange(listener: (event: AuthChangeEvent, session: Session | null) => void): {
    data: { subscription: { unsubscribe(): void } };
  };
  signInWithPassword(credentials: { email: string; password: string }): Promise<AuthAnswer>;
  signInWithOtp(credentials: {
    email: string;
    options?: { emailRedirectTo?: string; shouldCreateUser?: boolean };
  }): Promise<AuthAnswer>;
  signOut(options?: { scope?: 'global' | 'local' | 'others' }): Promise<AuthAnswer>;
}

/** A signed-in or not yet signed-in connection to Supabase: every supabase-js client is one. */
export interface JobMonitorClient {
  rpc(name: string, args?: Record<string, unknown>): PromiseLike<RpcAnswer>;
  auth: MonitorAuth;
}
