import type { Session } from '@supabase/supabase-js';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import type { JobMonitorClient } from '../data/client.ts';

/** Who is signed in: undefined until that is known, null for nobody. What another one saw is forgotten. */
export function useSession({ auth }: JobMonitorClient): Session | null | undefined {
  const [session, setSession] = useState<Session | null>();
  const queries = useQueryClient();
  useEffect(() => {
    const { data } = auth.onAuthStateChange((event, current) => {
      if (event === 'SIGNED_OUT') queries.clear();
      setSession(current);
    });
    return () => data.subscription.unsubscribe();
  }, [auth, queries]);
  return session;
}
